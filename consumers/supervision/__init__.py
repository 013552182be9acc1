"""How work says how it is: signs of life, what a statement waits for, trouble that lasts."""

// Says when the figures on the page are not fresh any more: the polls themselves are htmx's.
(() => {
  const note = document.getElementById("unanswered");
  let since = null;
  const answered = (yes) => {
    if (yes) {
      since = null;
    } else if (since === null) {
      since = new Date();
    }
    note.hidden = since === null;
    if (since !== null) {
      const time = since.toISOString().slice(11, 19);
      note.textContent = `No answer since ${time}. What you see is as old as that. Trying again.`;
    }
  };
  document.addEventListener("htmx:error", () => answered(false));
  document.addEventListener("htmx:response:error", () => answered(false));
  document.addEventListener("htmx:after:swap", () => answered(true));
})();

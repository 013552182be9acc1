"""Probes."""

from fastapi import APIRouter

health = APIRouter(prefix="/healthz")


@health.get("/live")
async def live() -> dict[str, str]:
    return {"status": "alive"}

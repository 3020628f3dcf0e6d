from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient

from touchline.core.metrics import Metrics
from touchline.web.http.telemetry import Telemetry


def counted(*requests: tuple[str, str]) -> str:
    """What the metrics say after these requests."""
    metrics, app = Metrics(), FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/matches/{match_id}", name="match")
    async def get_match(match_id: str) -> Response:
        return Response(match_id.encode(), 404 if match_id == "gone" else 200)

    @app.post("/matches", name="make")
    async def make(request: Request) -> Response:
        await request.body()
        return Response(b"ok")

    app.add_middleware(Telemetry, metrics=metrics)
    client = TestClient(app)
    for method, path in requests:
        client.request(method, path, content=b"12345" if method == "POST" else None)
    return metrics.render().decode()


def test_requests_are_counted_by_route_and_class_of_status() -> None:
    text = counted(("GET", "/matches/a"), ("GET", "/matches/b"), ("GET", "/matches/gone"))
    route = 'handler="/matches/{match_id}",method="GET"'
    assert f'http_requests_total{{{route},status="2xx"}} 2.0' in text
    assert f'http_requests_total{{{route},status="4xx"}} 1.0' in text
    assert 'footballvision_api_requests_total{endpoint="match",method="GET"} 3.0' in text
    assert f"http_request_duration_seconds_count{{{route}}} 3.0" in text
    assert "http_request_duration_highr_seconds_count 3.0" in text


def test_whoever_tries_every_path_makes_one_series() -> None:
    paths = [("GET", f"/{n}.php") for n in range(50)] + [("HACK", "/matches/a")]
    text = counted(*paths)
    series = [line for line in text.splitlines() if line.startswith("http_requests_total{")]
    assert len(series) == 2
    assert 'handler="none",method="GET",status="4xx"} 50.0' in series[0] + series[1]
    assert 'method="other"' in series[0] + series[1]
    assert "footballvision_api_requests_total{" not in text


def test_bodies_are_measured_in_both_directions() -> None:
    text = counted(("POST", "/matches"), ("POST", "/matches"))
    assert 'http_request_size_bytes_sum{handler="/matches"} 10.0' in text
    assert 'http_response_size_bytes_sum{handler="/matches"} 4.0' in text

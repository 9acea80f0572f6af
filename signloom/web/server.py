"""The HTTP server: jobs over signloom's own functions, and the studio page. See docs/studio.md."""

from __future__ import annotations

import asyncio
import inspect
import json
import math
import shutil
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from fastapi import Depends, FastAPI, File, Form, Request, Response, UploadFile, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import core_schema
from starlette import datastructures
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from signloom import __version__
from signloom.data.layouts import layout_named
from signloom.data.timing import Span
from signloom.errors import SignloomError, UsageError, nearest
from signloom.extract.extraction import parse_box
from signloom.inference.retime import Wishes
from signloom.inference.translate import BUNDLED
from signloom.text.subtitles import Subtitles, format_of, parse_subtitles
from signloom.web import exports, work
from signloom.web.guard import COOKIE, OPEN, Guard, answer
from signloom.web.holistic import FILES
from signloom.web.jobs import Job, Jobs
from signloom.web.limits import Limits, Refusal, full, refusal
from signloom.web.live import Sessions, converse
from signloom.web.media import POSES, checked
from signloom.web.metrics import Metrics
from signloom.web.models import Held, Models

STATIC = Path(__file__).with_name("static")
NO_MODEL = "none"
"""What ``model`` takes for aligning without a model."""
TICK = 0.1
"""Seconds between two looks at a job that is watched."""
QUIET = 15.0
"""Seconds after which a stream of events says that it lives."""

DESCRIPTION = """\
Sign language to text and times. Send a recording (a video, a `.pose` file, or skeleton frames as
JSON) to one of the four tasks; a job is answered at once. Watch `/v1/jobs/{id}/events`, then take
`/v1/jobs/{id}/result`. A video is deleted when its poses are extracted, a job when it is deleted or
its time is over. Every refusal is `{"kind", "detail"}`.

A model that has learnt from simulated signing only refuses real signing (422, `simulated-only`).
Not for medical, legal or emergency use.
"""


class Problem(BaseModel):
    """Why a request is refused, or a job failed."""

    kind: str = Field(description="One word for programs, such as `too-large` or `no-signing`.")
    detail: str = Field(description="What was got, what was expected, and what to do next.")


class JobState(BaseModel):
    """Where a job is."""

    id: str
    task: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    stage: str = Field(
        description="`wait` (for the cores), `extract`, `activity`, `align`, `translate`, `recognize`."
    )
    done: int = Field(description="Of the stage: frames or seconds finished.")
    total: int = Field(description="Of the stage, 0 where that is not known.")
    ahead: int = Field(description="Jobs that wait before this one.")
    error: Problem | None = None


class ModelInfo(BaseModel):
    """A model that is loaded here."""

    name: str
    tasks: list[str]
    live: list[str] = Field(description="What `/v1/live` may ask of it: `translate`, `glosses`.")
    simulated_only: bool = Field(description="It refuses real signing.")
    layout: str
    languages: list[str]
    writes_glosses: bool
    reads_lips: bool


class LayoutInfo(BaseModel):
    """A named layout: its keypoints in the order of a frame."""

    name: str
    keypoints: list[str] = Field(description="`COMPONENT:POINT`, as MediaPipe calls them.")
    edges: list[Annotated[list[int], Field(min_length=2, max_length=2)]] = Field(
        description="Pairs of keypoints to draw."
    )


class Server(BaseModel):
    """What this server is and takes."""

    signloom: str
    models: list[ModelInfo]
    limits: dict[str, float]
    extracts: bool = Field(description="Whether videos can be read here.")
    holistic: bool = Field(description="Whether the page can take skeletons inside the browser.")
    local: bool = Field(description="Whether it serves this machine only.")


class Health(BaseModel):
    status: Literal["ok"]
    signloom: str
    models: int
    unfinished: int


class Lock(BaseModel):
    """A cue that stays where it is; times on the subtitles' clock."""

    model_config = ConfigDict(extra="forbid")
    cue: int = Field(ge=1)
    start: float = Field(allow_inf_nan=False)
    end: float = Field(allow_inf_nan=False)


class Corrected(BaseModel):
    """Where a cue is now; times on the subtitles' clock."""

    model_config = ConfigDict(extra="forbid")
    start: float = Field(allow_inf_nan=False)
    end: float = Field(allow_inf_nan=False)


class _Placed(BaseModel):
    text: str
    old: Corrected
    confidence: float = Field(ge=0, le=1)


class _Alignment(BaseModel):
    """What tiers need of an alignment's result."""

    timecode: float = Field(ge=0, le=360_000)
    cues: list[_Placed]
    signing: list[Corrected]
    phrases: list[Corrected]


_LOCKS = TypeAdapter(list[Lock])
_CORRECTED = TypeAdapter(list[Corrected])

REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The form cannot be read."},
    401: {"model": Problem, "description": "The access token is missing or wrong."},
    403: {"model": Problem, "description": "The page of another site asked."},
    408: {"model": Problem, "description": "The upload stalled."},
    413: {"model": Problem, "description": "Too many bytes, seconds, pixels or cues."},
    415: {
        "model": Problem,
        "description": "Neither a video nor poses; subtitles of no known format.",
    },
    422: {"model": Problem, "description": "Damaged, contradictory, or not to be trusted."},
    429: {"model": Problem, "description": "Too many unfinished jobs, yours or all."},
    501: {"model": Problem, "description": "An optional part of signloom is not installed here."},
    507: {"model": Problem, "description": "The server's disk is full."},
}
MISSING: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such job (any more)."},
    409: {"model": Problem, "description": "The job has no result: not yet, or never."},
}
GUARDED: dict[int | str, dict[str, Any]] = {status: REFUSALS[status] for status in (401, 403)}
"""What any request may be answered; see web/guard.py."""
POSTED = GUARDED | {status: REFUSALS[status] for status in (400, 408, 413, 507)}
"""What any request with a body may be."""


def _answers(*types: str) -> dict[int | str, dict[str, Any]]:
    """An answer that is a file of one of these media types."""
    return {200: {"content": {type.partition(";")[0]: {} for type in types}}}


class Upload(UploadFile):
    """A file of a request. FastAPI hands over starlette's own class where its own is declared."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(cls.of)

    @classmethod
    def of(cls, value: Any) -> Upload:
        if not isinstance(value, datastructures.UploadFile):
            raise ValueError("expected a file, with a name, got a plain field")
        return cls(value.file, size=value.size, filename=value.filename, headers=value.headers)


Recording = Annotated[
    Upload,
    File(description="A video, a .pose file, or skeleton frames as a JSON object."),
]
ModelName = Annotated[
    str | None,
    Form(description="A model of `/v1/models`; the first that can do the task if left out."),
]
Allow = Annotated[
    bool,
    Form(
        description="Ask a model of simulated signing about real signing: the answer is nonsense."
    ),
]
Box = Annotated[
    str | None, Form(description="Video: look only there: `x,y,width,height` in pixels, or `auto`.")
]


def build(
    models: Models,
    limits: Limits = Limits(),
    token: str | None = None,
    hosts: Collection[str] | None = None,
    holistic: Path | None = None,
) -> FastAPI:
    """The application. token: what requests must carry, None = nothing (loopback only).

    hosts: the names under which it may be called, None = any. holistic: the unpacked npm package
    with which the page takes skeletons itself (see web/holistic.py), None = videos are sent here.
    """
    metrics = Metrics()
    jobs = Jobs(limits, metrics.over)

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            jobs.close()
            models.close()

    app = FastAPI(
        title="signloom", version=__version__, description=DESCRIPTION, lifespan=living,
        docs_url=None, redoc_url=None, responses=GUARDED,
    )  # fmt: skip
    app.state.jobs = jobs
    app.add_middleware(
        Guard, jobs=jobs, limits=limits, token=token, hosts=hosts, refused=metrics.refused,
        wasm=holistic is not None,
    )  # fmt: skip
    sessions = Sessions(limits)
    _handle_errors(app)
    _add_tasks(app, models, jobs, limits)
    _add_jobs(app, jobs)
    _add_live(app, models, limits, sessions, metrics)
    _add_about(app, models, jobs, limits, token, metrics, sessions, holistic is not None)
    _add_page(app, token, holistic)
    _describe_forms(app.openapi())
    if token is not None:
        _describe_token(app.openapi())
    return app


def _describe_forms(document: dict[str, Any]) -> None:
    """The OpenAPI document, which FastAPI keeps: a form has the fields named there and no others."""
    for name, schema in document["components"]["schemas"].items():
        if name.startswith("Body_"):
            schema["additionalProperties"] = False


def _describe_token(document: dict[str, Any]) -> None:
    """The OpenAPI document, which FastAPI keeps, of a server that wants its token."""
    schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes["token"] = {"type": "http", "scheme": "bearer"}
    document["security"] = [{"token": []}]
    for path in OPEN:
        for operation in document["paths"][path].values():
            operation["security"] = []
            del operation["responses"]["401"]


def _handle_errors(app: FastAPI) -> None:
    """Every refusal is {"kind", "detail"}, whoever makes it."""

    @app.exception_handler(Refusal)
    async def refused(_: Request, error: Refusal) -> Response:
        return answer(error)

    @app.exception_handler(SignloomError)
    async def wrong(_: Request, error: SignloomError) -> Response:
        return answer(refusal(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        return answer(Refusal(422, "request", _invalid(error.errors())))

    @app.exception_handler(OSError)
    async def disk(_: Request, error: OSError) -> Response:
        if refused := full(error):
            return answer(refused)
        raise error

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if refused := full(error.__cause__):  # a form that there was no room for
            return answer(refused)
        kind = "not-found" if error.status_code == 404 else "request"
        told = answer(Refusal(error.status_code, kind, str(error.detail)))
        if error.status_code == 405:
            told.headers["allow"] = ", ".join(_methods(app, request.scope))
        return told


def _methods(app: FastAPI, scope: Scope) -> list[str]:
    """What an address may be asked with."""
    met = [route for route in app.routes if route.matches(scope)[0] is not Match.NONE]
    return sorted({method for route in met for method in getattr(route, "methods", None) or ()})


def _invalid(errors: Any) -> str:
    first = errors[0]
    where = ".".join(str(part) for part in first.get("loc", ()) if part != "body")
    return f"{where or 'the request'}: {first.get('msg', 'is not valid')}"


# --- tasks ---------------------------------------------------------------------------------------


def _add_tasks(app: FastAPI, models: Models, jobs: Jobs, limits: Limits) -> None:
    def begin(
        task: str,
        media: Upload,
        model: Held | None,
        allow_simulated: bool,
        response: Response,
        request: Request,
        subtitles: Upload | None = None,
        tier: str | None = None,
        wishes: Wishes = Wishes(),
        locks: dict[int, Span] | None = None,
        usual: bool = False,
        **more: Any,
    ) -> JobState:
        """Checks an upload and queues it; what is refused leaves nothing behind.

        usual: simulated signing is looked at by the model of simulated signing.
        """
        folder = jobs.new_folder()
        name = _name(media)
        try:
            if (box := more.get("signer_box")) is not None:
                parse_box(box)
            texts = None if subtitles is None else _subtitles(subtitles, limits, tier)
            path = folder / f"upload{_suffix(name)}"
            with path.open("wb") as file:
                shutil.copyfileobj(media.file, file, 1 << 20)
            media.file.close()
            seen = checked(path, name, limits)
            if usual and seen.simulated:
                model = _usual_for(models, seen)
            work.refuse(seen, model, allow_simulated)
            if texts is not None:
                wishes = work.with_locks(wishes, locks or {}, len(texts.cues))
                work.refuse_subtitles(texts, _name(subtitles), seen, wishes)
            asked = work.Asked(
                task, seen, limits, model, subtitles=texts, wishes=wishes,
                subtitles_name=_name(subtitles), **more,
            )  # fmt: skip
            client = request.client.host if request.client else "unknown"
            job = Job(task, client, folder, lambda job: work.done(asked, job), texts)
        except SignloomError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise refusal(error, {str(folder / f"upload{_suffix(name)}"): name}) from None
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        jobs.submit(job)
        response.headers["location"] = f"/v1/jobs/{job.id}"
        return _state(jobs, job)

    queued: dict[str, Any] = {
        "status_code": 202, "responses": REFUSALS, "tags": ["tasks"], "dependencies": _KNOWN,
    }  # fmt: skip

    @app.post("/v1/translate", summary="Signing to text", **queued)
    def translate(
        request: Request,
        response: Response,
        media: Recording,
        model: ModelName = None,
        allow_simulated: Allow = False,
        beam: Annotated[int | None, Form(ge=1, le=32, description="Beam width.")] = None,
        alternatives: Annotated[int, Form(ge=0, le=20, description="So many next best texts.")] = 0,
        signer_box: Box = None,
    ) -> JobState:
        held = models.for_task("translate", model)
        return begin(
            "translate", media, held, allow_simulated, response, request,
            beam=beam, alternatives=alternatives, signer_box=signer_box,
        )  # fmt: skip

    @app.post("/v1/recognize", summary="One sign to its gloss", **queued)
    def recognize(
        request: Request,
        response: Response,
        media: Recording,
        model: ModelName = None,
        allow_simulated: Allow = False,
        top: Annotated[int, Form(ge=1, le=50, description="So many glosses.")] = 5,
        signer_box: Box = None,
    ) -> JobState:
        held = models.for_task("recognize", model)
        return begin(
            "recognize", media, held, allow_simulated, response, request,
            top=top, signer_box=signer_box,
        )  # fmt: skip

    @app.post("/v1/segment", summary="Where there is signing, cut into phrases", **queued)
    def segment(
        request: Request, response: Response, media: Recording, signer_box: Box = None
    ) -> JobState:
        return begin("segment", media, None, False, response, request, signer_box=signer_box)

    @app.post("/v1/align", summary="Subtitles timed to speech, re-timed to the signing", **queued)
    def align(
        request: Request,
        response: Response,
        media: Recording,
        subtitles: Annotated[
            Upload,
            File(description="vtt, srt, eaf, ass, ttml, TextGrid or json, by its ending."),
        ],
        model: Annotated[
            str | None,
            Form(
                description="A model that finds texts or spots signs, or `none`. Left out: the model of "
                "simulated signing on simulated signing, else none."
            ),
        ] = None,
        allow_simulated: Allow = False,
        signer_box: Box = None,
        locked: Annotated[
            str,
            Form(
                description='Cues that stay, as JSON: `[{"cue": 3, "start": 1.2, "end": 2.5}]`; numbers '
                "from 1, seconds on the subtitles' clock."
            ),
        ] = "[]",
        tier: Annotated[str | None, Form(description="EAF, TextGrid: the tier.")] = None,
        offset: Annotated[
            float | None, Form(ge=-600, le=600, description="Expected lag behind speech, seconds.")
        ] = None,
        max_shift: Annotated[
            float | None, Form(ge=0, le=600, description="Move no cue further, seconds.")
        ] = None,
        min_duration: Annotated[float, Form(ge=0.04, le=60)] = 0.4,
        overlap: Annotated[Literal["forbid", "allow"], Form()] = "forbid",
        on_low: Annotated[Literal["prior", "keep", "mark"], Form()] = "prior",
        any_order: Annotated[bool, Form()] = False,
        start_timecode: Annotated[
            float | None,
            Form(ge=0, le=360_000, description="The subtitles' clock at the start, seconds."),
        ] = None,
    ) -> JobState:
        named = model is not None and model != NO_MODEL
        held = models.for_task("align", model) if named else None
        wishes = Wishes(
            offset=offset, max_shift=max_shift, min_duration=min_duration, overlap=overlap,
            on_low=on_low, any_order=any_order, timecode=start_timecode,
        )  # fmt: skip
        return begin(
            "align", media, held, allow_simulated, response, request,
            subtitles=subtitles, tier=tier, wishes=wishes, locks=_locks(locked),
            usual=model is None, signer_box=signer_box,
        )  # fmt: skip


async def _refuse_unknown(request: Request) -> None:
    """Raises Refusal for a field that the address does not take, or that stands in the form twice."""
    endpoint, form = request.scope["route"].endpoint, await request.form()
    fields = [n for n in inspect.signature(endpoint).parameters if n not in ("request", "response")]
    for name in form:
        if name not in fields:
            raise Refusal(
                422, "request", f"{name[:60]}: there is no such field{nearest(name[:60], fields)}; "
                f"{request.url.path} takes {', '.join(fields)}",
            )  # fmt: skip
        if (sent := len(form.getlist(name))) > 1:
            raise Refusal(422, "request", f"{name}: is there {sent} times; send it once")


_KNOWN = [Depends(_refuse_unknown)]


def _usual_for(models: Models, media: Any) -> Held | None:
    """What looks at simulated signing unasked; None where it cannot read the poses."""
    held = models.spotter_of_simulated()
    if held is None:
        return None
    try:
        work.refuse(media, held, False)
    except UsageError:
        return None
    return held


def _name(file: Upload | None) -> str:
    """The name that a browser gave a file, without folders and control characters."""
    given = ((file and file.filename) or "").replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in given if c.isprintable())[:120] or "the upload"


def _suffix(name: str) -> str:
    """A harmless ending for the file on disk."""
    ending = Path(name).suffix.lower()
    return ending if ending[1:].isalnum() and len(ending) < 12 and ending.isascii() else ""


def _subtitles(file: Upload, limits: Limits, tier: str | None) -> Subtitles:
    """Raises Refusal: 415 for an ending that is unknown, 413 for too many bytes or cues."""
    name = _name(file)
    try:
        format = format_of(name)
    except SignloomError as error:
        raise Refusal(415, "unsupported", str(error)) from None
    data = file.file.read(limits.subtitle_bytes + 1)
    if len(data) > limits.subtitle_bytes:
        raise Refusal(
            413,
            "too-large",
            f"{name} has more than {limits.subtitle_bytes:,} bytes; cut it into parts",
        )
    parsed = parse_subtitles(data, format, name, tier=tier)
    if len(parsed.cues) > limits.cues:
        raise Refusal(
            413, "too-large", f"{name} has {len(parsed.cues)} cues, expected at most {limits.cues}"
        )
    return parsed


def _locks(text: str) -> dict[int, Span]:
    """Raises Refusal (422)."""
    try:
        locks = _LOCKS.validate_python(json.loads(text))
        return {lock.cue: Span(lock.start, lock.end) for lock in locks}
    except ValidationError as error:
        raise Refusal(422, "request", f"locked: {_invalid(error.errors())}") from None
    except (ValueError, RecursionError) as error:
        raise Refusal(
            422,
            "request",
            f'locked is not a list of {{"cue": 3, "start": 1.2, "end": 2.5}} ({error})',
        ) from None


# --- jobs ----------------------------------------------------------------------------------------


def _state(jobs: Jobs, job: Job) -> JobState:
    refused = job.error
    error = None if refused is None else Problem(kind=refused.kind, detail=refused.detail)
    return JobState(
        id=job.id, task=job.task, **job.events[-1].to_json(), ahead=jobs.ahead(job), error=error
    )


def _add_jobs(app: FastAPI, jobs: Jobs) -> None:
    known: dict[str, Any] = {"responses": {404: MISSING[404]}, "tags": ["jobs"]}

    @app.get("/v1/jobs/{id}", summary="Where a job is", **known)
    def state(id: str) -> JobState:
        return _state(jobs, jobs.get(id))

    @app.get(
        "/v1/jobs/{id}/events",
        summary="The job's story as server-sent events, from its beginning or after Last-Event-ID",
        response_class=StreamingResponse,
        responses={404: MISSING[404], **_answers("text/event-stream")},
        tags=["jobs"],
    )
    async def events(id: str, request: Request) -> StreamingResponse:
        job = jobs.get(id)
        seen = request.headers.get("last-event-id", "")
        first = int(seen) + 1 if seen.isascii() and seen.isdigit() and len(seen) < 10 else 0
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(
            _told(jobs, job, first, request), media_type="text/event-stream", headers=headers
        )

    @app.get(
        "/v1/jobs/{id}/result",
        summary="The result as a file",
        response_class=Response,
        responses={**MISSING, 422: REFUSALS[422], **_answers(*exports.TYPES.values())},
        tags=["jobs"],
    )
    def result(
        id: str,
        format: exports.Format = "json",
    ) -> Response:
        job = jobs.get(id)
        if job.result is None:
            said = f"it failed: {job.error.detail}" if job.error else f"it is {job.state}"
            raise Refusal(409, "not-finished", f"this job has no result; {said}")
        stem = Path(str(job.result["name"])).stem or "result"
        if format == "pose":
            kept = [*job.folder.glob(POSES), *job.folder.glob("upload*")]
            if not kept:  # some systems tidy up where temporary files are
                raise Refusal(
                    404, "not-found", "the poses of this job are gone; send the file again"
                )
            poses = kept[0]
            return FileResponse(poses, media_type=exports.TYPES["pose"], filename=f"{stem}.pose")
        data = exports.written(job.result, format, job.subtitles)
        return _file(data, format, stem)

    @app.post(
        "/v1/jobs/{id}/cancel",
        summary="Stop a job",
        responses={404: MISSING[404], **POSTED},
        tags=["jobs"],
    )
    def cancel(id: str) -> JobState:
        job = jobs.get(id)
        jobs.cancel(job)
        return _state(jobs, job)

    @app.delete("/v1/jobs/{id}", status_code=204, summary="Forget a job and its files", **known)
    def delete(id: str) -> None:
        jobs.delete(jobs.get(id))


async def _told(jobs: Jobs, job: Job, first: int, request: Request) -> AsyncIterator[bytes]:
    """The events from number ``first`` on; ends with the job, or when nobody listens any more."""
    next_, quiet = first, 0.0
    while True:
        events = job.events[next_:]
        for number, event in enumerate(events, start=next_):
            data = event.to_json() | {"ahead": jobs.ahead(job) if event.state == "queued" else 0}
            if event.state == "failed" and job.error is not None:
                data["error"] = {"kind": job.error.kind, "detail": job.error.detail}
            yield f"id: {number}\nevent: {event.state}\ndata: {json.dumps(data)}\n\n".encode()
        next_ += len(events)
        if job.over and next_ >= len(job.events):
            return
        if await request.is_disconnected():
            return
        quiet = 0.0 if events else quiet + TICK
        if quiet >= QUIET:
            quiet = 0.0
            yield b": still here\n\n"
        await asyncio.sleep(TICK)


def _file(data: bytes, format: exports.Format, stem: str) -> Response:
    from urllib.parse import quote

    ending = "TextGrid" if format == "textgrid" else format
    return Response(
        data,
        media_type=exports.TYPES[format],
        headers={
            "content-disposition": f"attachment; filename*=UTF-8''{quote(f'{stem}.{ending}', safe='')}"
        },
    )


# --- live ----------------------------------------------------------------------------------------


def _add_live(
    app: FastAPI, models: Models, limits: Limits, sessions: Sessions, metrics: Metrics
) -> None:
    @app.websocket("/v1/live")
    async def streamed(socket: WebSocket) -> None:
        await converse(socket, models, limits, sessions, metrics.refused)

    @app.get(
        "/v1/layouts/{name}",
        summary="The order of a layout's keypoints, for live frames and JSON",
        responses={404: {"model": Problem}},
        tags=["about"],
    )
    def layout(name: str) -> LayoutInfo:
        try:
            known = layout_named(name)
        except UsageError as error:
            raise Refusal(404, "not-found", str(error)) from None
        return LayoutInfo(
            name=name, keypoints=list(known.keypoints), edges=[*map(list, known.edges)]
        )


# --- about, exports ------------------------------------------------------------------------------


def _add_about(
    app: FastAPI,
    models: Models,
    jobs: Jobs,
    limits: Limits,
    token: str | None,
    metrics: Metrics,
    sessions: Sessions,
    holistic: bool,
) -> None:
    @app.post(
        "/v1/export",
        summary="Subtitles at corrected times, as a file; nothing is kept",
        response_class=Response,
        responses={
            **POSTED,
            415: REFUSALS[415],
            422: REFUSALS[422],
            **_answers(*(exports.TYPES[name] for name in get_args(exports.Subtitling))),
        },
        tags=["tasks"],
        dependencies=_KNOWN,
    )
    def export(
        subtitles: Annotated[Upload, File(description="The file whose cues were corrected.")],
        cues: Annotated[
            str,
            Form(
                description='A place for each cue of the file, as JSON: `[{"start": 1, "end": 2}, …]`.'
            ),
        ],
        format: Annotated[exports.Subtitling, Form()] = "vtt",
        tier: Annotated[str | None, Form()] = None,
        result: Annotated[
            str | None,
            Form(description="eaf: the alignment's result as JSON, for the tiers beside the cues."),
        ] = None,
    ) -> Response:
        parsed = _subtitles(subtitles, limits, tier)
        spans = _corrected(cues, len(parsed.cues))
        if format == "eaf" and parsed.format != "eaf" and result is not None:
            data = exports.tiers_of(_alignment(result, len(spans)), spans)
        else:
            data = exports.subtitles_with(parsed, spans, format)
        return _file(data, format, Path(_name(subtitles)).stem)

    @app.get(
        "/v1/example",
        summary="A simulated sentence, as a .pose file",
        response_class=Response,
        responses={404: {"model": Problem}, **_answers(exports.TYPES["pose"])},
        tags=["about"],
    )
    def example() -> Response:
        found = sorted((BUNDLED.parent / "example").glob("*.pose"))
        if not found:
            raise Refusal(404, "not-found", "this copy of signloom has no bundled example")
        return FileResponse(found[0], media_type=exports.TYPES["pose"], filename=found[0].name)

    @app.get("/v1/models", summary="The models that are loaded", tags=["about"])
    def listed() -> list[ModelInfo]:
        return [ModelInfo(**held.to_json()) for held in models.held]

    @app.get(
        "/v1/models/{name:path}/card",
        summary="A model's card, as Markdown",
        response_class=Response,
        responses={404: {"model": Problem}, **_answers("text/markdown")},
        tags=["about"],
    )
    def card(name: str) -> Response:
        try:
            held = models.named(name)
        except UsageError as error:
            raise Refusal(404, "not-found", str(error)) from None
        return Response(held.card, media_type="text/markdown; charset=utf-8")

    @app.get("/v1/server", summary="What this server is and takes", tags=["about"])
    def about() -> Server:
        import importlib.util

        reads = all(importlib.util.find_spec(module) for module in ("av", "mediapipe"))
        return Server(
            signloom=__version__,
            models=[ModelInfo(**held.to_json()) for held in models.held],
            limits={
                name: float(value) for name, value in vars(limits).items() if math.isfinite(value)
            },
            extracts=reads,
            holistic=holistic,
            local=token is None,
        )

    @app.get("/healthz", summary="Whether it works; needs no token", tags=["about"])
    def health() -> Health:
        return Health(
            status="ok", signloom=__version__, models=len(models.held), unfinished=jobs.unfinished
        )

    @app.get(
        "/metrics",
        summary="For Prometheus",
        response_class=Response,
        responses=_answers("text/plain"),
        tags=["about"],
    )
    def measured() -> Response:
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return Response(metrics.text(jobs.unfinished, len(sessions)), media_type=kind)


def _corrected(text: str, count: int) -> list[Span]:
    """Raises Refusal (422)."""
    try:
        places = _CORRECTED.validate_python(json.loads(text))
        spans = [Span(place.start, place.end) for place in places]
    except ValidationError as error:
        raise Refusal(422, "request", f"cues: {_invalid(error.errors())}") from None
    except (ValueError, RecursionError) as error:
        raise Refusal(
            422, "request", f'cues is not a list of {{"start", "end"}} ({error})'
        ) from None
    if len(spans) != count:
        raise Refusal(
            422, "request", f"cues has {len(spans)} places, but the subtitles have {count} cues"
        )
    return spans


def _alignment(text: str, count: int) -> dict[str, Any]:
    """Raises Refusal (422)."""
    try:
        said = _Alignment.model_validate_json(text)
    except ValidationError as error:
        raise Refusal(422, "request", f"result: {_invalid(error.errors())}") from None
    if len(said.cues) != count:
        raise Refusal(422, "request", f"result has {len(said.cues)} cues, expected {count}")
    return {"task": "align"} | said.model_dump()


# --- the page ------------------------------------------------------------------------------------


def _add_page(app: FastAPI, token: str | None, holistic: Path | None) -> None:
    @app.get("/", include_in_schema=False)
    def page(request: Request) -> Response:
        if token is not None and "token" in request.query_params:
            moved = RedirectResponse("/", 303)
            moved.set_cookie(COOKIE, token, httponly=True, samesite="strict")
            return moved
        return FileResponse(STATIC / "index.html", headers={"cache-control": "no-cache"})

    @app.get("/holistic/{name}", include_in_schema=False)
    def model(name: str) -> Response:
        if holistic is None or name not in FILES:
            raise Refusal(404, "not-found", f"there is no /holistic/{name} here")
        return FileResponse(holistic / name, headers={"cache-control": "private, max-age=3600"})

    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_exception_handler(500, _unexpected)


async def _unexpected(_: Request, error: Exception) -> Response:
    problem = {"kind": "failed", "detail": f"an unexpected error: {type(error).__name__}"}
    return JSONResponse(problem, 500)

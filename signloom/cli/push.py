"""signloom push: a checkpoint to a hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint folder, such as RUN/best.")],
    hub_id: Annotated[str, typer.Argument(help="Where to, as 'org/name'.")],
    private: Annotated[
        bool, typer.Option("--private", help="Make the repository private.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before uploading.")] = False,
) -> None:
    """Upload a checkpoint to a hub, after showing its card."""
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    from signloom.errors import SignloomError, UsageError
    from signloom.training.checkpoint import CARD, CONFIG, TOKENIZER, WEIGHTS, read_checkpoint

    folder = read_checkpoint(checkpoint).folder
    if get_token() is None:
        raise UsageError(
            "no hub token is set, so nothing can be uploaded; log in with `hf auth login` or set "
            "HF_TOKEN"
        )
    typer.echo((folder / CARD).read_text())
    if not yes:
        typer.confirm(f"Upload {folder} to {hub_id}?", abort=True)
    api = HfApi()
    try:
        api.create_repo(hub_id, private=private, exist_ok=True)
        done = api.upload_folder(
            repo_id=hub_id,
            folder_path=folder,
            allow_patterns=[CONFIG, WEIGHTS, TOKENIZER, CARD],
            commit_message="Upload by signloom push",
        )
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise SignloomError(
            f"{folder} was not uploaded to '{hub_id}' ({type(error).__name__}: {error}); "
            "check the name, the token's rights and the connection, and push again"
        ) from error
    typer.echo(str(done))

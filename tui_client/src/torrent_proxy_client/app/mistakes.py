"""What went wrong, in words: refusals of the server, and mistakes of ours."""

from textual.worker import Worker, WorkerState

from torrent_proxy_client import words
from torrent_proxy_client.errors import ClientError, Refused

_OLD = "Your server is older than this app and does not offer this. Whoever runs it can update it."


class TellsMistakes:
    """For the App and every screen with workers: a mistake in one is told, instead of ending the app or passing
    unseen. The message goes to the worker's owner and no further."""

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR:
            event.worker.node.app.notify(
                f"Something went wrong: {event.worker.error!r}", severity="error", timeout=12, markup=False
            )


def refusal(error: ClientError) -> str:
    """Why something that older servers do not know did not work, asked about a torrent that is there."""
    if isinstance(error, Refused) and error.status in (404, 405):
        return _OLD
    return words.clean(str(error))

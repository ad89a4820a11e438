"""A mistake of ours in a worker is told, instead of ending the app or passing unseen."""

from textual.worker import Worker, WorkerState


class TellsMistakes:
    """For the App and every screen with workers: the message goes to the worker's owner and no further."""

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR:
            event.worker.node.app.notify(
                f"Something went wrong: {event.worker.error!r}", severity="error", timeout=12, markup=False
            )

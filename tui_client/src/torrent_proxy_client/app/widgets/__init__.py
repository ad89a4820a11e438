"""The parts of the main screen. Names are shown as rich.text.Text or with markup=False: they are hostile."""

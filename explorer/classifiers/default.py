"""The network that is there from the start: it comes with the project, so it is always here."""

DEFAULT = "signs-resnet"

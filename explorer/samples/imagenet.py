"""ImageNet's classes (Deng et al. 2009): its pictures are not here; the page shows photographs instead."""

from collections.abc import Sequence

from torchvision.models import ResNet18_Weights

from explorer.samples.data_set import DataSet


class ImageNet(DataSet):
    """See DataSet."""

    name = "imagenet"
    title = label = "ImageNet"
    input_size = (224, 224)
    mean = (0.485, 0.456, 0.406)
    std = (0.229, 0.224, 0.225)

    @property
    def classes(self) -> Sequence[str]:
        """See DataSet."""
        return ResNet18_Weights.DEFAULT.meta["categories"]

"""What adapters hand on to every dataset is what every dataset takes, so that a misspelt option is told."""

import inspect

import pytest

from cefl_bench.config import load_config
from cefl_bench.datasets.base import VideoDataset
from cefl_bench.datasets.options import DatasetOptions
from cefl_bench.errors import UserError


def test_they_are_the_arguments_of_the_base():
    arguments = set(inspect.signature(VideoDataset.__init__).parameters) - {"self", "data_root", "split"}
    assert set(DatasetOptions.__annotations__) == arguments


@pytest.mark.parametrize("corpus", ["dfew", "mafw", "afew", "mmi", "bu3dfe", "cremad", "ravdess"])
def test_a_misspelt_option_of_a_corpus_is_told_with_what_there_is(corpus):
    with pytest.raises(UserError, match=r"there is no 'on_eror': expected one of .*\bon_error\b"):
        load_config("ceflnet_dfew", {"corpus.on_eror": "skip"}, dataset=corpus)
    assert load_config("ceflnet_dfew", {"corpus.on_error": "skip"}, dataset=corpus).test_dataloader.dataset.on_error

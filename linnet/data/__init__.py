"""What we learn from: datasets, their recordings and images, splits, sources and augmentation.

This room knows nothing about tasks, models or statistics. A dataset is a table; media are decoded when asked.
"""

from linnet.data import augment
from linnet.data.cells import media_cells
from linnet.data.columns import (
    AudioColumn,
    Column,
    GroupColumn,
    ImageColumn,
    LabelColumn,
    LabelsColumn,
    SequenceColumn,
    SpansColumn,
    TextColumn,
    ValueColumn,
    label_column,
)
from linnet.data.dataset import Dataset
from linnet.data.describe import AudioSummary, describe, describe_audio, describe_audio_parts, sources_table
from linnet.data.media import Audio, Media, probe_audio, read_audio, read_image, resample
from linnet.data.origin import restore
from linnet.data.sources import SOURCES, Card, Source, load
from linnet.data.splits import Splits
from linnet.data.tokenizer import Tokenizer
from linnet.data.writing import write_folder, write_parquet

__all__ = [
    "SOURCES",
    "Audio",
    "AudioColumn",
    "AudioSummary",
    "Card",
    "Column",
    "Dataset",
    "GroupColumn",
    "ImageColumn",
    "LabelColumn",
    "LabelsColumn",
    "Media",
    "SequenceColumn",
    "Source",
    "SpansColumn",
    "Splits",
    "TextColumn",
    "Tokenizer",
    "ValueColumn",
    "augment",
    "describe",
    "describe_audio",
    "describe_audio_parts",
    "label_column",
    "load",
    "media_cells",
    "probe_audio",
    "read_audio",
    "read_image",
    "resample",
    "restore",
    "sources_table",
    "write_folder",
    "write_parquet",
]

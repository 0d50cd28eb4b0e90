"""Bundled real data, and data from files, ready to become a problem."""

from thalweg.datasets._dataset import Dataset as Dataset
from thalweg.datasets._load import load as load, load_data as load_data, names as names

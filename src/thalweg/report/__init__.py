"""A run as one self-contained page for people, and its answer in two sentences."""

from thalweg.report._answer import two_sentences as two_sentences
from thalweg.report._descent import write_descent as write_descent
from thalweg.report._write import write as write

"""A run, or a watched training, as one self-contained page for people."""

from thalweg.report._answer import two_sentences as two_sentences
from thalweg.report._descent import write_descent as write_descent
from thalweg.report._record import write_record as write_record
from thalweg.report._sweep import write_sweep as write_sweep
from thalweg.report._write import write as write

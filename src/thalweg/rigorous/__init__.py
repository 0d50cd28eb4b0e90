"""Theorems from exact doubles, evaluated in ball arithmetic: proved, or undecided."""

from thalweg.rigorous._certificate import RigorousCertificate as RigorousCertificate
from thalweg.rigorous._certify import certify_rigorous as certify_rigorous
from thalweg.rigorous._proof import write_proof as write_proof

"""Recurrent language models from scratch, in sweeps that can be repeated and reports that can be
read.
"""

"""Runs in the worker beside the student's code: for what cannot be asked by calling a function with plain data.

Return data and never a verdict. Here nothing is needed.
"""

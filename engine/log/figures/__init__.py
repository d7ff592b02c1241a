"""Figures of a log that are kept in bounded memory, however long its training went on."""

"""Zip and tar files as lists of members that are read one by one. Nothing is ever unpacked to a path of its own."""

from grader.intake.archives.member import Archive, ArchiveProblem, Listed, Member
from grader.intake.archives.opened import is_archive_name, open_archive, without_suffix

__all__ = [
    "Archive",
    "ArchiveProblem",
    "Listed",
    "Member",
    "is_archive_name",
    "open_archive",
    "without_suffix",
]

"""A whole data set under one attack: every picture, every changed pixel's label, one table, one report."""

from explorer.studies.dataset.changes import apply_changes, changes_of, read_changes, write_changes
from explorer.studies.dataset.pictures import Gathered, LeftOut, folder_pictures, gather
from explorer.studies.dataset.record import check_record, record_of, written_record
from explorer.studies.dataset.report import Told, report
from explorer.studies.dataset.study import DataSetStudy
from explorer.studies.dataset.table import left_out_frame, read_frame, to_csv, to_frame, write_frame

__all__ = [
    "DataSetStudy",
    "Gathered",
    "LeftOut",
    "Told",
    "apply_changes",
    "changes_of",
    "check_record",
    "folder_pictures",
    "gather",
    "left_out_frame",
    "read_changes",
    "read_frame",
    "record_of",
    "report",
    "to_csv",
    "to_frame",
    "write_changes",
    "write_frame",
    "written_record",
]

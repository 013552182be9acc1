"""What can go wrong with the files of reports, in the words of this service.

ReportFileError
├── StoreUnavailable     the store did not do it: the same work may succeed later
├── StoreNotOurs         the store is another installation's until it is adopted: a person decides
│   └── StoreOfOriginal  it is that of the database of which this one is a copy
├── FileMissing          there is no file of this name
├── FileExists           there is one already: nothing is overwritten
├── FileDamaged          not, or not wholly, what was written under this name and key
├── MasterKeyUnknown     the file's key is wrapped by a master key that is not in the settings
├── ReportNotFound       no such report, not this provider's, or not ready: all look alike
└── ReportGone           its time is over
StorageUrlWrong          the setting REPORT_STORAGE_URL names no store
KeySettingWrong          a key setting cannot be read, or may not be changed so
PasswordRefused          an archive password is not as it must be; the text is for the requester

No message holds a key, a password, or the text of a driver.
"""


class ReportFileError(Exception):
    """Any of them; `retriable` says whether the same work can succeed later."""

    retriable = False


class StoreUnavailable(ReportFileError):
    retriable = True


class StoreNotOurs(ReportFileError):
    retriable = True  # it goes on as soon as the setting is right or the store is adopted


class StoreOfOriginal(StoreNotOurs):
    pass


class FileMissing(ReportFileError):
    pass


class FileExists(ReportFileError):
    pass


class FileDamaged(ReportFileError):
    pass


class MasterKeyUnknown(ReportFileError):
    pass


class ReportNotFound(ReportFileError):
    pass


class ReportGone(ReportFileError):
    pass


class StorageUrlWrong(ValueError):
    pass


class KeySettingWrong(ValueError):
    pass


class PasswordRefused(ValueError):
    pass

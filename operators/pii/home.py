"""Names of people in the paths of their home folders."""

import re
from collections.abc import Iterator
from typing import Final

from operators.pii.detector import Detector, words
from operators.pii.view import View

#: Windows, macOS, and Linux with its usual places for home folders. A URL's path is not one of them.
_HOME: Final = re.compile(
    r"(?:(?:(?<![\w.~/-])|(?<=file://)|(?<=/export)|(?<=/usr)|(?<=/var)|(?<=/nfs)|(?<=/mnt/[a-z])|(?<=[A-Za-z]:))/(?:home|Users)/"
    r"|\\{1,2}(?:Users|users|USERS|Documents and Settings)\\{1,2})"
    r"([^\s/\\:*?\"'<>|,;()\[\]{}$%@#=&]{2,40})"
)
#: Accounts of machines and examples.
_NOBODY: Final = words("""
    admin administrator all ansible app appuser azureuser backup bitnami build builder buildbot circleci
    codespace default defaultuser debian deploy dev developer docker ec2-user fedora ftp git gitlab-runner
    gitpod guest hadoop hbase hdfs hive jenkins jovyan kafka kubernetes linuxbrew mysql node nobody oracle pi
    postgres public root runner service shared spark software support sysadmin test tester tomcat travis ubuntu
    user user1 username users vagrant vscode vsts web www www-data xxx yarn zookeeper you your-name yourname
    your_name me name containeradministrator vssadministrator home bin lib opt centos
""")


def home_folders(view: View) -> Iterator[tuple[int, int]]:
    """The account's name in a home folder's path."""
    for match in _HOME.finditer(view.text):
        name = match.group(1).rstrip(".!")
        if name.lower() not in _NOBODY and not name.isdigit() and len(name) > 1:
            yield match.start(1), match.start(1) + len(name)


DETECTORS: Final = (Detector("USER", home_folders, ("/home/", "/users/", "users\\", "documents and settings\\")),)

"""Cases as readable YAML: `load` reads a file or a folder, `Case.to_yaml` writes one."""

from lab.cases.case import Case
from lab.cases.nodes import CaseError
from lab.cases.parse import SHIPPED, load

__all__ = ["SHIPPED", "Case", "CaseError", "load"]

"""The wire's tagged values as plain Python data."""

from typing import Any


def plain(value: Any) -> Any:
    if value == "Null":
        return None
    [(kind, content)] = value.items()
    match kind:
        case "List":
            return [plain(item) for item in content]
        case "Map":
            return {key: plain(item) for key, item in content.items()}
        case _:
            return content

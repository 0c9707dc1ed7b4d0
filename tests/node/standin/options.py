"""The options that the node knows, the lines that set them, and how listconfigs and init show them."""

from __future__ import annotations

import configfile


class Option:
    """One option. `type`: string, string-conceal, int, bool, msat or flag. `owner`: its plugin, or None."""

    def __init__(self, name, type_, *, default=None, multi=False, dynamic=False, owner=None):
        self.name, self.type, self.default = name, type_, default
        self.multi, self.dynamic, self.owner = multi, dynamic, owner

    def problem(self, value):
        """Say what is wrong with a line's value, in lightningd's words, or nothing."""
        if self.type == "flag":
            return "doesn't allow an argument" if value is not None else ""
        if value is None:
            return "requires an argument"
        if self.type in ("int", "msat") and _integer(value) is None:
            return f"'{value}' is not a number"
        if self.type == "bool" and _boolean(value) is None:
            return f"Invalid argument '{value}'"
        return ""

    def typed(self, value):
        """Return a line's value as JSON has it."""
        if self.type == "flag":
            return True
        if self.type in ("int", "msat"):
            return _integer(str(value))
        if self.type == "bool":
            return value if isinstance(value, bool) else bool(_boolean(value))
        return str(value)

    @property
    def field(self):
        kind = {"int": "int", "msat": "msat", "bool": "bool"}.get(self.type, "str")
        return f"values_{kind}" if self.multi else f"value_{kind}"


def _integer(text):
    try:
        return int(text, 0) if not (text.isdigit() and text.startswith("0")) else int(text, 8)
    except ValueError:
        return None


def _boolean(text):
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(text.lower())


class Options:
    """All options by name, and every line that was given, in order."""

    def __init__(self, facts, lines):
        self.known = {}
        for name, fact in facts["options"].items():
            self.known[name] = option_of({"name": name, **fact})
        self.lines = lines
        self.computed = {}

    def takes_value(self, name):
        option = self.known.get(name)
        return None if option is None else option.type != "flag"

    def check_all(self):
        """Raise ConfigRefusedError for the first line that no option answers to, or whose value is wrong."""
        for line in self.lines:
            option = self.known.get(line.name)
            problem = option.problem(line.value) if option else "unknown option"
            if problem:
                raise line.refuse(problem)
        self.settle()

    def settle(self):
        """Mark the lines that a later one overrides."""
        last = {}
        for line in self.lines:
            option = self.known.get(line.name)
            if option is None or (option.multi and line.source != configfile.TRANSIENT):
                continue
            if line.name in last:
                last[line.name].overridden = True
            last[line.name] = line

    def set(self, name):
        """Return the lines that set this option and hold."""
        return [line for line in self.lines if line.name == name and not line.overridden]

    def add_started(self, option, value):
        """Add an option given to `plugin start`; return what is wrong with it, or nothing."""
        text = option.name if option.type == "flag" else f"{option.name}={value}"
        line = configfile.Line(text, configfile.PLUGIN_START)
        self.lines.append(line)
        problem = option.problem(line.value)
        if not problem:
            self.settle()
        return problem

    def drop(self, option):
        """Forget a plugin's option, and the values that it was started with (those of files stay)."""
        self.known.pop(option.name, None)
        self.lines = [x for x in self.lines if not (x.name == option.name and x.source == configfile.PLUGIN_START)]
        held = [x for x in self.lines if x.name == option.name]
        if held:
            held[-1].overridden = False

    def orphaned(self):
        """Say whether a line sets an option that nobody has any more: its plugin was stopped, or died."""
        return any(line.name not in self.known for line in self.lines)

    def init_values(self, plugin):
        """Return what `init` says to a plugin: its options that are set or have a default."""
        values = {}
        for option in plugin.options:
            lines = self.set(option.name)
            if not lines and option.default is None:
                continue
            given = [option.typed(line.value) for line in lines] or [option.typed(option.default)]
            values[option.name] = given if option.multi else given[-1]
        return values

    def show(self, name):
        """Return an option as listconfigs shows it, or None where it shows nothing."""
        option = self.known[name]
        lines = self.set(name)
        if option.type == "flag":
            shown = {"set": bool(lines), "source": lines[-1].shown_source if lines else "default"}
        elif option.multi:
            shown = {
                option.field: [self._value(option, x.value) for x in lines],
                "sources": [x.shown_source for x in lines],
            }
        else:
            value = self.computed.get(name, lines[-1].value if lines else option.default)
            if value is None:
                return (
                    {"value_str": "...", "source": "default", **_owner(option)}
                    if option.type == "string-conceal"
                    else None
                )
            shown = {option.field: self._value(option, value), "source": lines[-1].shown_source if lines else "default"}
        shown.update(_owner(option))
        return shown

    @staticmethod
    def _value(option, value):
        return "..." if option.type == "string-conceal" else option.typed(value)

    def show_all(self):
        hidden = ("help", "version", "list-features-only", "test-daemons-only")
        shown = {name: self.show(name) for name in self.known if name not in hidden}
        return {name: value for name, value in shown.items() if value is not None}


def _owner(option):
    owner = {"plugin": option.owner.path} if option.owner else {}
    return owner | ({"dynamic": True} if option.dynamic else {})


def option_of(fact, owner=None):
    """Make an Option from a getmanifest answer's entry, or from the facts' files."""
    return Option(
        fact["name"],
        fact["type"],
        default=fact.get("default"),
        multi=bool(fact.get("multi")),
        dynamic=bool(fact.get("dynamic")),
        owner=owner,
    )

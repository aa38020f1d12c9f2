"""What /help says: at most ten lines, grouped, only what this person may do here. Pure."""

from host.people.registry import Role


def help_text(name: str, role: Role | None, *, trigger_required: bool) -> str:
    begin = f"begin with @{name}" if trigger_required else "just write"
    lines = [f"Ask: {begin}, for example “what should I work on?”."]
    if role is None:
        lines.append(
            "You have no role here, so whatever you cause waits for somebody who has; an owner gives roles."
        )
    else:
        lines.append(f"You are {role.value} here.")
        lines.append(
            "See: /status what goes on · /approvals what waits · /discoveries what was found "
            "· /spend what models cost"
        )
    if role is not None and role.includes(Role.APPROVER):
        lines.append("Decide: the buttons of a card, or APPROVE and its code as a message")
    if role is not None and role.includes(Role.MEMBER):
        lines.append("Conversation: /stop ends the running answer · /reset or /new begins anew")
    if role is not None and role.includes(Role.APPROVER):
        lines.append("News: /mute 2h phase is quiet for a while · /digest daily 09:00 collects it")
        lines.append("Agent: /model shows or changes who answers")
    lines.append("Addresses: /chatid · Am I there: /ping · This text: /help")
    return "\n".join(lines)


def unregistered(address: str, *, private: bool) -> str:
    """The polite refusal in a chat nobody registered."""
    lines = [f"This chat ({address}) is not registered, so I read nothing here and no agent answers."]
    if private:
        lines.append("If the host is yours: write /claim and the code it printed when it started.")
    lines.append(f"Whoever runs the host can register it: intercom group add {address} --folder NAME")
    return "\n".join(lines)

"""Write subjects, visits and treatments: within one transaction, once per form, nothing silently replaced."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from ..errors import StoreError
from ..visits import NewPhoto, Subject, Treatment, Visit, VisitForm
from . import audit
from .audit import Stamp
from .kept_courses import forget_courses
from .numbers import save_assessments, save_comparisons
from .removing import remove_photos
from .rows import current, insert_row, next_number, owner_of, saved_before, subject_id
from .schema import files, photos, subject_names, subjects, treatments, visits

Contents = dict[str, bytes]
"""Photos whose files are still to be written before the transaction may end, by sha256."""


def add_subject(connection: Connection, subject: Subject, stamp: Stamp) -> None:
    """Store a subject; one that is there already stays, but an empty name is filled in.

    Raises StoreError for an empty code, and for a code that has another name.
    """
    if not subject.code.strip():
        raise StoreError("A subject needs a code. Type one, such as 001.")
    found = connection.execute(
        select(subjects.c.id, subject_names.c.name)
        .outerjoin(subject_names)
        .where(subjects.c.code == subject.code)
    ).first()
    if found is None:
        number = insert_row(connection, subjects, code=subject.code, recorded_at=stamp.at)
        audit.append(connection, stamp, "create", f"subject {number}")
    elif found.name and subject.name and found.name != subject.name:
        raise StoreError(f"Subject {subject.code} has another name already. Choose another code.")
    else:
        number = found.id
    if subject.name and not (found and found.name):
        connection.execute(insert(subject_names).values(subject_id=number, name=subject.name))


def rename_subject(connection: Connection, subject: Subject, stamp: Stamp) -> None:
    """Give a subject the name it has in `subject`; an empty one takes the name away."""
    number = subject_id(connection, subject.code)
    connection.execute(delete(subject_names).where(subject_names.c.subject_id == number))
    if subject.name:
        connection.execute(insert(subject_names).values(subject_id=number, name=subject.name))
    audit.append(connection, stamp, "update", f"subject {number}", {"what": "name"})


def save_visit(connection: Connection, form: VisitForm, stamp: Stamp) -> tuple[int, Contents]:
    """Store a visit with all that belongs to it; return its id. A form that was saved before adds nothing."""
    digest = _form_digest(form)
    earlier = saved_before(connection, visits, form.key, digest)
    if earlier is not None:
        return earlier, {}
    owner = subject_id(connection, form.subject)
    number = insert_row(
        connection,
        visits,
        subject_id=owner,
        number=next_number(connection, visits, owner),
        visited_on=form.visited_on,
        recorded_at=stamp.at,
        changed_at=stamp.at,
        changed_by=stamp.actor,
        version=1,
        notes=form.notes,
        form_key=form.key,
        form_digest=digest,
    )
    contents = _add_photos(connection, number, form.photos, stamp, form.known_photos)
    save_comparisons(connection, form.comparisons, stamp)
    audit.append(
        connection, stamp, "create", f"visit {number}", {"subject": owner, "photos": len(form.photos)}
    )
    return number, contents


def change_visit(
    connection: Connection, visit: Visit, added: Sequence[NewPhoto], stamp: Stamp, *, known_photos: bool
) -> tuple[int, Contents, set[str]]:
    """Make a stored visit what `visit` says, and add photos; return its id and photos that nobody has now."""
    number = current_visit(connection, visit, stamp)
    before = connection.execute(select(visits.c.visited_on).where(visits.c.id == number)).scalar_one()
    connection.execute(
        update(visits).where(visits.c.id == number).values(visited_on=visit.visited_on, notes=visit.notes)
    )
    forget_courses(connection, owner_of(connection, visits, number))
    kept = {photo.sha256: photo for photo in visit.photos}
    gone = set()
    for row in connection.execute(select(photos).where(photos.c.visit_id == number)).all():
        if row.sha256 not in kept:
            gone.add(row.id)
            continue
        photo = kept[row.sha256]
        connection.execute(
            update(photos)
            .where(photos.c.id == row.id)
            .values(kind=photo.kind, expression=photo.expression, run=photo.run, consent=photo.consent)
        )
    orphans = remove_photos(connection, gone)
    contents = _add_photos(connection, number, added, stamp, known_photos)
    told: dict[str, int | str] = {"photos_added": len(contents), "photos_removed": len(gone)}
    told |= _moved(before, visit.visited_on)
    audit.append(connection, stamp, "update", f"visit {number}", told)
    return number, contents, orphans


def current_visit(connection: Connection, visit: Visit, stamp: Stamp) -> int:
    """Return the id of what `visit` was read from; raise StoreError when it was changed since."""
    return current(connection, visits, visit, "Visit", stamp)


def save_treatment(connection: Connection, key: str, treatment: Treatment, stamp: Stamp) -> int:
    """Store a treatment; return its id. A form that was saved before adds nothing."""
    values = _treatment_values(treatment)
    told = json.dumps([treatment.subject, *(str(value) for value in values.values())])
    digest = hashlib.sha256(told.encode()).hexdigest()
    earlier = saved_before(connection, treatments, key, digest)
    if earlier is not None:
        return earlier
    owner = subject_id(connection, treatment.subject)
    number = insert_row(
        connection,
        treatments,
        subject_id=owner,
        number=next_number(connection, treatments, owner),
        recorded_at=stamp.at,
        changed_at=stamp.at,
        changed_by=stamp.actor,
        version=1,
        form_key=key,
        form_digest=digest,
        **values,
    )
    audit.append(connection, stamp, "create", f"treatment {number}", {"subject": owner})
    return number


def change_treatment(connection: Connection, treatment: Treatment, stamp: Stamp) -> int:
    """Make a stored treatment what `treatment` says; return its id."""
    number = current(connection, treatments, treatment, "Treatment", stamp)
    day = select(treatments.c.treated_on).where(treatments.c.id == number)
    before = connection.execute(day).scalar_one()
    forget_courses(connection, owner_of(connection, treatments, number))
    connection.execute(
        update(treatments).where(treatments.c.id == number).values(**_treatment_values(treatment))
    )
    told = _moved(before, treatment.treated_on)
    audit.append(connection, stamp, "update", f"treatment {number}", told)
    return number


def _moved(before: date, now: date) -> dict[str, int | str]:
    """Return what the audit says of a day that was corrected: the whole course hangs on it."""
    return {} if before == now else {"day_before": before.isoformat(), "day": now.isoformat()}


def remove_treatment(connection: Connection, treatment: Treatment, stamp: Stamp) -> None:
    """Delete a treatment that was entered by mistake."""
    number = current(connection, treatments, treatment, "Treatment", stamp)
    forget_courses(connection, owner_of(connection, treatments, number))
    connection.execute(delete(treatments).where(treatments.c.id == number))
    told: dict[str, int | str] = {"day": treatment.treated_on.isoformat()}
    audit.append(connection, stamp, "delete", f"treatment {number}", told)


def _add_photos(
    connection: Connection, visit_id: int, added: Iterable[NewPhoto], stamp: Stamp, known_photos: bool
) -> Contents:
    """Add the rows of photos and their assessments, the same bytes once; return what has no row yet here."""
    given: dict[str, NewPhoto] = {}
    for photo in added:
        _refuse_other_word(given.setdefault(photo.sha256, photo), photo)
    here = select(photos).where(photos.c.visit_id == visit_id, photos.c.sha256.in_(given))
    stored = {row.sha256: row for row in connection.execute(here)} if given else {}
    for sha256, row in stored.items():
        _refuse_other_word(row, given[sha256])
    new = [photo for photo in given.values() if photo.sha256 not in stored]
    if new:
        _insert_photos(connection, visit_id, new, stamp, known_photos)
    save_assessments(connection, [p.assessment for p in given.values() if p.assessment], stamp)
    return {photo.sha256: photo.content for photo in new}


def _insert_photos(
    connection: Connection, visit_id: int, new: Sequence[NewPhoto], stamp: Stamp, known_photos: bool
) -> None:
    named = [photo.sha256 for photo in new]
    if not known_photos:
        _refuse_known(connection, named)
    there = set(connection.execute(select(files.c.sha256).where(files.c.sha256.in_(named))).scalars())
    missing = [
        {"sha256": photo.sha256, "size_bytes": len(photo.content), "recorded_at": stamp.at}
        for photo in new
        if photo.sha256 not in there
    ]
    if missing:
        connection.execute(insert(files), missing)
    rows = [
        {
            "visit_id": visit_id,
            "sha256": photo.sha256,
            "kind": str(photo.kind),
            "expression": str(photo.expression),
            "run": photo.run,
            "consent": str(photo.consent),
            "original_name": photo.original_name,
        }
        for photo in new
    ]
    connection.execute(insert(photos), rows)


def _refuse_other_word(first: Row[Any] | NewPhoto, second: NewPhoto) -> None:
    """Raise StoreError when the same photo is said to be two things."""
    if (first.kind, first.expression) != (second.kind, second.expression):
        raise StoreError(
            f"The same photo was given as {first.kind} ({first.expression}) and as {second.kind} "
            f"({second.expression}): nothing was saved. Choose one of them."
        )


def _refuse_known(connection: Connection, sha256s: Sequence[str]) -> None:
    found = connection.execute(
        select(photos.c.sha256, subjects.c.code, visits.c.number)
        .select_from(photos.join(visits).join(subjects))
        .where(photos.c.sha256.in_(sha256s))
        .order_by(photos.c.id)
        .limit(1)
    ).first()
    if found:
        raise StoreError(
            f"Photo {found.sha256[:12]} belongs to visit {found.number} of subject {found.code} already: "
            "nothing was saved. Choose another file, or say that the same photo is meant."
        )


def _treatment_values(treatment: Treatment) -> dict[str, Any]:
    return {
        "treated_on": treatment.treated_on,
        "regions": [str(region) for region in treatment.regions],
        "product": treatment.product,
        "units": treatment.units,
        "points_mm": [list(point) for point in treatment.points_mm],
        "notes": treatment.notes,
    }


def _form_digest(form: VisitForm) -> str:
    """Return the sha256 of what a person entered: what makes two forms the same."""
    told = [[p.sha256, p.kind, p.expression, p.run, p.consent, p.original_name] for p in form.photos]
    text = json.dumps([form.subject, form.visited_on.isoformat(), form.notes, told])
    return hashlib.sha256(text.encode()).hexdigest()

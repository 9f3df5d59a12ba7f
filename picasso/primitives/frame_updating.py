"""How a ``VideoFrameUpdate`` is carried out: everything is checked first, then done; after an error nothing changed."""

from __future__ import annotations

from picasso.primitives.attribute import Attribute, AttributeKey
from picasso.primitives.frame_state import FrameState
from picasso.primitives.frame_update import AttributeUpdatePolicy, ObjectUpdatePolicy, VideoFrameUpdate
from picasso.primitives.object_store import ObjectStore

_Table = dict[AttributeKey, Attribute]


def carry_out(update: VideoFrameUpdate, frame: FrameState) -> None:
    """Put the attributes and objects of an update into a frame.

    Raises:
        ValueError: A policy says so, or an object or a parent is not there.
    """
    store = frame._objects
    table = frame._attributes.copy()
    for attribute in update.frame_attributes:
        if not _may_put(table, attribute, update.frame_attribute_policy):
            name = f"'{attribute.name}' created by '{attribute.namespace}'"
            raise ValueError(f"Attribute with name {name} already exists in the frame.")
    tables = _object_tables(update, store)
    removed_at = _removed(store, update)
    _check_parents(store, update, removed_at)
    frame._attributes = table
    store.attributes.update(tables)
    for foreign, removed in zip(update.objects, removed_at, strict=True):
        store.remove(removed)
        object_id = store.first_new_id()
        source, row = foreign.video_object.locate()
        store.copy_row(source, row, object_id)
        if foreign.parent_id is not None:
            store.parents[object_id] = foreign.parent_id


def _may_put(table: _Table, attribute: Attribute, policy: AttributeUpdatePolicy) -> bool:
    """Put an attribute into a table as the policy says; False where it says error."""
    if attribute.key not in table or policy is AttributeUpdatePolicy.ReplaceWithForeignWhenDuplicate:
        table[attribute.key] = attribute
        return True
    return policy is AttributeUpdatePolicy.KeepOwnWhenDuplicate


def _object_tables(update: VideoFrameUpdate, store: ObjectStore) -> dict[int, _Table]:
    """Return what the attributes of the objects that are updated become."""
    tables: dict[int, _Table] = {}
    for object_id, attribute in update.object_attributes:
        if object_id not in store.rows:
            raise ValueError(f"Object with ID {object_id} does not exist in the frame.")
        if object_id not in tables:
            tables[object_id] = store.attributes.get(object_id, {}).copy()
        if not _may_put(tables[object_id], attribute, update.object_attribute_policy):
            raise ValueError(
                f"Attribute with name '{attribute.namespace}.{attribute.name}' already exists in the object with"
                f" ID {object_id}."
            )
    return tables


def _removed(store: ObjectStore, update: VideoFrameUpdate) -> list[list[int]]:
    """Return, for each object that is added, the ids that go before it comes."""
    if update.object_policy is ObjectUpdatePolicy.AddForeignObjects:
        return [[] for _ in update.objects]
    there: dict[tuple[str, str], list[int]] = {}
    for object_id, *pair in zip(store.rows, store.namespaces, store.labels, strict=True):
        there.setdefault((pair[0], pair[1]), []).append(object_id)
    removed = []
    for index, foreign in enumerate(update.objects):
        namespace, label = foreign.video_object.namespace, foreign.video_object.label
        same = there.get((namespace, label), [])
        if same and update.object_policy is ObjectUpdatePolicy.ErrorIfLabelsCollide:
            raise ValueError(f"Objects with label '{label}' and namespace '{namespace}' already exists in the frame.")
        removed.append(same)
        there[namespace, label] = [store.next_id + index]
    return removed


def _check_parents(store: ObjectStore, update: VideoFrameUpdate, removed_at: list[list[int]]) -> None:
    """Raise unless every parent is there when its child is added."""
    there = set(store.rows)
    for index, (foreign, removed) in enumerate(zip(update.objects, removed_at, strict=True)):
        there -= set(removed)
        object_id = store.next_id + index
        if foreign.parent_id is not None and foreign.parent_id not in there:
            raise ValueError(f"Parent object with ID {foreign.parent_id} does not exist in the frame.")
        there.add(object_id)

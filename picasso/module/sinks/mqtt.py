"""``mqtt_sink``: records of frames and events as JSON, to topics of a broker."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote, urlsplit

from picasso.engine.threads import EngineThread
from picasso.errors import SpecError, require
from picasso.module.events import MODULE, ModuleEvent
from picasso.module.sinks.far import EVENTS, KINDS, QUEUE_LENGTH, FarSink
from picasso.module.sinks.outbox import SIZE_BYTES, Outbox, Parcel
from picasso.module.sinks.record import json_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paho.mqtt.client import Client

PORTS: Final[Mapping[str, int]] = {"mqtt": 1883, "mqtts": 8883}
TOPIC: Final = "picasso/{module}/{kind}/{source}"
IN_FLIGHT: Final = 20
"""Messages that wait for the broker's word at once."""
LEAVE_S: Final = 2.0
"""Seconds that closing waits for the end of the connection."""
LOST: Final = "lost"
"""The state of a module that the broker tells when it hears no more of it: the module's last will."""
logger: logging.Logger = logging.getLogger("picasso.module")


class MqttSink(FarSink):
    """Publishes each record as a message of its own. A broker that is away is called again and again."""

    name = "mqtt_sink"

    def __init__(
        self,
        url: str,
        module: str,
        topic: str = TOPIC,
        username: str | None = None,
        password: str | None = None,
        client_id: str | None = None,
        qos: int = 1,
        retain: bool = False,
        keepalive_s: int = 30,
        ca_certificate: str | None = None,
        certificate: str | None = None,
        key: str | None = None,
        send: Sequence[str] = KINDS,
        queue_length: int = QUEUE_LENGTH,
        queue_byte_size: int = SIZE_BYTES,
        skip_frames_without_objects: bool = False,
    ) -> None:
        """Call the broker; what comes meanwhile waits.

        Args:
            url: The broker: ``mqtt://host``, ``mqtts://host`` for TLS, with a port, user and password where needed.
            module: The name of the module.
            topic: With ``{module}``, ``{kind}`` (``metadata``, ``events``) and ``{source}``.
            username: Instead of that in ``url``.
            password: Instead of that in ``url``.
            client_id: By default one that no other client has.
            qos: 0, 1 or 2: what MQTT promises of each message.
            retain: Whether the broker keeps the newest message of a topic for those who come later.
            keepalive_s: Seconds of silence after which the connection is tested.
            ca_certificate: A file of authorities, instead of the system's.
            certificate: The client's own, a file.
            key: Its key, a file.
            send: ``metadata``, ``events`` or both.
            queue_length: Messages that may wait; the oldest of more are dropped and counted.
            queue_byte_size: Bytes of them.
            skip_frames_without_objects: Whether frames without objects are left out.

        Raises:
            SpecError: The address or the topic is none.
            MissingDependencyError: The extra ``mqtt`` is not installed.
        """
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise SpecError("url: expected mqtt://host or mqtts://host, with :port where it is not the usual one")
        mqtt: Any = require("paho.mqtt.client", extra="mqtt")
        self._topic = _checked(topic)
        self._qos = qos
        self._retain = retain
        self._changed = threading.Condition()
        self._is_connected = False
        self._acknowledged: set[int] = set()
        self.module = module
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=client_id or f"picasso-{os.urandom(6).hex()}")
        user = username or (unquote(parts.username) if parts.username else None)
        if user is not None:
            client.username_pw_set(user, password or (unquote(parts.password) if parts.password else None))
        if parts.scheme == "mqtts":
            client.tls_set(ca_certs=ca_certificate, certfile=certificate, keyfile=key)
        client.on_connect, client.on_disconnect = self._connected, self._disconnected
        client.on_publish, client.on_connect_fail = self._published, self._not_connected
        client.reconnect_delay_set(1, 30)
        client.max_inflight_messages_set(IN_FLIGHT)
        if EVENTS in send:
            will = json_of(ModuleEvent(MODULE, module, LOST, time="").record())
            client.will_set(self.topic_of(EVENTS, None), will, qos, retain)
        self._client: Client = client
        self._where = f"{self.name} {parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        client.connect_async(parts.hostname, parts.port or PORTS[parts.scheme], keepalive_s)
        client.loop_start()
        outbox = Outbox(self._where, self._publish, length=queue_length, size_bytes=queue_byte_size, batch=IN_FLIGHT)
        super().__init__(module, outbox, send, skip_frames_without_objects=skip_frames_without_objects)

    def topic_of(self, kind: str, source_id: str | None) -> str:
        """Return the topic of a ``kind`` of messages on ``source_id``; without its level for those on the module."""
        source = "" if source_id is None else _level(source_id)
        topic = self._topic.format(module=_level(self.module), kind=kind, source=source)
        return topic if source else "/".join(filter(None, topic.split("/")))

    def stop(self) -> None:
        """Send nothing more. Any thread."""
        super().stop()
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Send what is queued, for five seconds at most, and leave the broker."""
        was_stopped = self.outbox.is_stopped
        super().close()
        self._client.disconnect()
        leaving = EngineThread(target=self._client.loop_stop, name="mqtt-leaves")  # it may wait for a connection
        leaving.start()
        if not was_stopped:
            leaving.join(LEAVE_S)

    def _publish(self, parcels: Sequence[Parcel]) -> None:
        """Publish some messages, and wait until the broker has them; it may be away meanwhile."""
        waiting: set[int] = set()
        with self._changed:
            self._acknowledged.clear()
            self._changed.wait_for(lambda: self._is_connected or self.outbox.is_stopped)
        for parcel in parcels if not self.outbox.is_stopped else ():
            waiting.add(self._client.publish(parcel.topic, parcel.body, self._qos, self._retain).mid)
        with self._changed:
            self._changed.wait_for(lambda: self._are_settled(waiting))

    def _are_settled(self, waiting: set[int]) -> bool:
        """Whether nothing more comes of these messages: those of quality 0 are sent once, others until they arrive."""
        waiting -= self._acknowledged
        return not waiting or self.outbox.is_stopped or (self._qos == 0 and not self._is_connected)

    def _connected(self, _client: object, _data: object, _flags: object, reason: Any, _properties: object) -> None:
        if reason.is_failure:
            logger.error("%s: the broker refuses the connection: %s", self._where, reason)
            return
        logger.info("%s: connected", self._where)
        with self._changed:
            self._is_connected = True
            self._changed.notify_all()

    def _not_connected(self, _client: object, _data: object) -> None:
        logger.warning("%s: the broker cannot be reached; it is called again", self._where)

    def _disconnected(self, _client: object, _data: object, _flags: object, reason: Any, _properties: object) -> None:
        with self._changed:
            was_connected, self._is_connected = self._is_connected, False
            self._changed.notify_all()
        if was_connected and reason.is_failure:
            logger.warning("%s: the connection is lost (%s); the broker is called again", self._where, reason)

    def _published(self, _client: object, _data: object, mid: int, _reason: object, _properties: object) -> None:
        with self._changed:
            self._acknowledged.add(mid)
            self._changed.notify_all()


def _checked(topic: str) -> str:
    try:
        shown = topic.format(module="m", kind="k", source="s")
    except (KeyError, IndexError, ValueError, AttributeError):
        raise SpecError(f"topic: expected {{module}}, {{kind}} and {{source}} alone in braces, got {topic!r}") from None
    if not shown or any(character in shown for character in "+#\0"):
        raise SpecError(f"topic: a topic to publish to has no + or # and is not empty, got {topic!r}")
    return topic


def _level(text: str) -> str:
    """Return a text as one level of a topic: what has a meaning there is written as in an address."""
    return quote(text, safe=" !$&'()*,:;=@~").replace("+", "%2B") if any(c in text for c in "/+#%\0") else text

"""One session with the served app, as a browser speaks with it, without a browser."""

from __future__ import annotations

import random
import time
from typing import Any, NamedTuple

import requests
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

_TIMEOUT_S = 120.0
_XSRF = "_streamlit_xsrf"


class Run(NamedTuple):
    """One run of a page: how long it took from the request to its end, and what went wrong."""

    seconds: float
    errors: tuple[str, ...]


class Session:
    """A session with the app at `url`: runs pages, changes widgets, uploads photos."""

    def __init__(self, url: str) -> None:
        self._http = requests.Session()
        self._http.get(f"{url}/_stcore/health", timeout=_TIMEOUT_S)
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._http.cookies)
        self._socket = connect(
            f"ws{url.removeprefix('http')}/_stcore/stream",
            subprotocols=[Subprotocol("streamlit")],
            additional_headers={"Cookie": cookies},
            origin=Origin(url),
            max_size=None,
            open_timeout=_TIMEOUT_S,
        )
        self._url = url
        self._id = ""
        self._page = ""
        self._pages: dict[str, str] = {}
        self._elements: dict[tuple[int, ...], Any] = {}
        self._states: dict[str, WidgetState] = {}

    def close(self) -> None:
        """Close the tab."""
        self._socket.close()
        self._http.close()

    def open(self, page: str) -> Run:
        """Go to a page by its path; "" is the first."""
        if not self._pages:
            self._rerun("")
        self._states.clear()
        self._page = self._pages[page]
        return self._rerun(self._page)

    def upload(self, number: int, name: str, content: bytes) -> Run:
        """Give a photo to the `number`-th uploader of the page; the time begins when it has arrived."""
        uploaders = [
            one.file_uploader for one in self._elements.values() if one.WhichOneof("type") == "file_uploader"
        ]
        message = BackMsg()
        message.file_urls_request.request_id = "1"
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self._id
        self._send(message)
        while (answer := self._next()).WhichOneof("type") != "file_urls_response":
            pass
        urls = answer.file_urls_response.file_urls[0]
        put = self._http.put(
            self._url + urls.upload_url,
            files={"file": (name, content, "image/jpeg")},
            headers={"X-Xsrftoken": self._http.cookies.get(_XSRF) or ""},
            timeout=_TIMEOUT_S,
        )
        put.raise_for_status()
        state = WidgetState(id=uploaders[number].id)
        told = state.file_uploader_state_value.uploaded_file_info.add()
        told.name, told.size, told.file_id = name, len(content), urls.file_id
        told.file_urls.CopyFrom(urls)
        self._states[state.id] = state
        return self._rerun(self._page)

    def choose(self, label: str, option: str) -> Run:
        """Choose the first option that holds the text, in the box of that label."""
        box = next(
            one.selectbox
            for one in self._elements.values()
            if one.WhichOneof("type") == "selectbox" and one.selectbox.label == label
        )
        value = next(text for text in box.options if option in text)
        self._states[box.id] = WidgetState(id=box.id, string_value=value)
        return self._rerun(self._page)

    def change_something(self, chance: random.Random) -> Run:
        """Set one box, switch or group of buttons to another value than it has; else run the page again."""
        ways = [way for element in self._elements.values() for way in self._other_values(element)]
        if ways:
            state = chance.choice(ways)
            self._states[state.id] = state
        return self._rerun(self._page)

    def _other_values(self, element: Any) -> list[WidgetState]:
        kind = element.WhichOneof("type")
        widget = getattr(element, kind)
        if kind not in ("checkbox", "selectbox", "button_group") or widget.disabled:
            return []
        now = self._states.get(widget.id)
        if kind == "checkbox":
            is_set = now.bool_value if now else widget.default
            return [WidgetState(id=widget.id, bool_value=not is_set)]
        if kind == "selectbox":
            others = [o for o in widget.options if not now or o != now.string_value]
            return [WidgetState(id=widget.id, string_value=option) for option in others]
        found = []
        for option in widget.options:
            state = WidgetState(id=widget.id)
            state.string_array_value.data.append(option.content)
            found.append(state)
        return found

    def _rerun(self, page: str) -> Run:
        message = BackMsg()
        message.rerun_script.page_script_hash = page
        known = {getattr(e, e.WhichOneof("type")).id for e in self._elements.values() if self._is_widget(e)}
        states = [state for name, state in self._states.items() if name in known]
        message.rerun_script.widget_states.widgets.extend(states)
        started = time.perf_counter()
        self._send(message)
        errors = self._read_to_the_end()
        return Run(time.perf_counter() - started, errors)

    @staticmethod
    def _is_widget(element: Any) -> bool:
        return hasattr(getattr(element, element.WhichOneof("type")), "id")

    def _read_to_the_end(self) -> tuple[str, ...]:
        """Read what the page sends until its run is over; remember its elements."""
        errors = []
        while True:
            message = self._next()
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self._id = message.new_session.initialize.session_id or self._id
                self._elements.clear()
            elif kind == "navigation":
                self._pages = {p.url_pathname: p.page_script_hash for p in message.navigation.app_pages}
            elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                element = message.delta.new_element
                self._elements[tuple(message.metadata.delta_path)] = element
                if element.WhichOneof("type") == "exception":
                    errors.append(f"{element.exception.type}: {element.exception.message}")
                if element.WhichOneof("type") == "alert" and element.alert.format == Alert.ERROR:
                    errors.append(element.alert.body)
            elif kind == "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    continue
                if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    errors.append("the script does not compile")
                return tuple(errors)

    def _send(self, message: BackMsg) -> None:
        self._socket.send(message.SerializeToString())

    def _next(self) -> ForwardMsg:
        message = ForwardMsg()
        message.ParseFromString(self._socket.recv(timeout=_TIMEOUT_S, decode=False))
        return message

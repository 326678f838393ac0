# SPDX-License-Identifier: Apache-2.0
"""Reads a Perfetto trace without Perfetto, and looks whether its parts fit together."""
import collections
import struct

BEGIN, END, INSTANT, COUNTER = 1, 2, 3, 4
CLEARED, NEEDED = 1, 2
REALTIME, MONOTONIC = 1, 3


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        shift += 7
        if not byte & 0x80:
            return value, at


def fields(data):
    """Field number to the list of its values, of one message."""
    found = collections.defaultdict(list)
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 1:
            value, at = struct.unpack_from("<Q", data, at)[0], at + 8
        elif wire == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            if len(value) != size:
                raise ValueError("a field is cut off")
        else:
            raise ValueError(f"wire type {wire}")
        found[number].append(value)
    return found


def signed(value):
    return value - (1 << 64) if value >> 63 else value


class Trace:
    """What the trace says, with interned names put in."""

    def __init__(self, data):
        self.tracks = {}  # uuid -> fields of its descriptor
        self.events = []  # (time, order, fields, annotations, name)
        self.clocks = {}
        self.problems = []
        self.names = {1: {}, 2: {}, 3: {}, 29: {}}
        self.packets = [fields(packet) for packet in fields(data)[1]]
        cleared = False
        for packet in self.packets:
            flags = packet[13][0] if packet[13] else 0
            cleared = cleared or bool(flags & CLEARED)
            if flags & NEEDED and not cleared:
                self.problems.append("interned names before the state is cleared")
            for interned in packet[12]:
                for number, entries in fields(interned).items():
                    for entry in map(fields, entries):
                        if entry[1][0] in self.names[number]:
                            self.problems.append("an interned name is defined twice")
                        self.names[number][entry[1][0]] = entry[2][0].decode()
            for descriptor in map(fields, packet[60]):
                if descriptor[1][0] in self.tracks:
                    self.problems.append(f"track {descriptor[1][0]} is described twice")
                self.tracks[descriptor[1][0]] = descriptor
            for snapshot in map(fields, packet[6]):
                self.clocks = {c[1][0]: c[2][0] for c in map(fields, snapshot[1])}
                self.primary = snapshot[2][0]
            for event in packet[11]:
                self.add(packet[8][0], fields(event))
        self.events.sort(key=lambda event: event[:2])

    def add(self, time, event):
        if event[11][0] not in self.tracks:
            self.problems.append(f"an event of track {event[11][0]}, which is not described before it")
        name = self.names[2].get(event[10][0]) if event[10] else event[23][0].decode() if event[23] else None
        if event[10] and name is None:
            self.problems.append("an event's name is not defined")
        if any(number not in self.names[1] for number in event[3]):
            self.problems.append("a category is not defined")
        annotations = {}
        for annotation in map(fields, event[4]):
            annotations[self.names[3][annotation[1][0]]] = self.value(annotation)
        self.events.append((time, len(self.events), event, annotations, name))

    def value(self, annotation):
        if annotation[12]:
            return [self.value(fields(element)) for element in annotation[12]]
        if annotation[17]:
            return self.names[29][annotation[17][0]]
        if annotation[6]:
            return annotation[6][0].decode()
        if annotation[7]:
            return hex(annotation[7][0])
        if annotation[4]:
            return signed(annotation[4][0])
        if annotation[2]:
            return bool(annotation[2][0])
        return annotation[3][0] if annotation[3] else []

    def wall(self, time):
        return time if self.merged else time + self.clocks[REALTIME] - self.clocks[MONOTONIC]

    @property
    def merged(self):
        """Of several recordings: in wall-clock time, each recording's tracks in a group of its own."""
        return self.primary == REALTIME

    def thread(self, uuid):
        """The thread of a track; None where it is none's."""
        track = self.tracks[uuid]
        if track[4]:
            return fields(track[4][0])[2][0]
        last = track[2][0].decode().rsplit(" ", 1)[-1] if track[2] else ""
        return int(last) if self.merged and self.depth(uuid) == 2 and last.isdigit() else None

    def depth(self, uuid):
        depth = 0
        while self.tracks[uuid][5]:
            uuid, depth = self.tracks[uuid][5][0], depth + 1
        return depth

    def root(self, uuid):
        while self.tracks[uuid][5]:
            uuid = self.tracks[uuid][5][0]
        return uuid


def nesting(trace):
    """Slices in order of time; what is not nested goes to trace.problems. Yields (begin, end, depth)."""
    stacks = collections.defaultdict(list)
    for event in trace.events:
        kind, track = event[2][9][0], event[2][11][0]
        if kind == BEGIN:
            stacks[track].append(event)
        elif kind == END:
            if not stacks[track]:
                trace.problems.append(f"an end without a beginning at {event[0]}")
                continue
            yield stacks[track].pop(), event, len(stacks[track])
        elif kind == INSTANT:
            yield event, event, len(stacks[track])
    trace.problems += [f"a slice without an end: {event[4]}" for stack in stacks.values() for event in stack]


def operations(trace, slices):
    """(time, thread, function, errno, address) of each operation."""
    found = collections.Counter()
    for begin, end, depth in slices:
        if "operation" not in begin[3]:
            continue
        if depth:
            trace.problems.append(f"{begin[4]} at {begin[0]} lies inside another slice")
        thread = trace.thread(begin[2][11][0])
        time = begin[0] if begin[3]["start recorded"] else end[0]
        found[trace.wall(time), thread, begin[3].get("function"), begin[3].get("errno"),
              begin[3].get("address")] += 1
    return found


def check(results, path, expected, failures, events, losses, names):
    """`names`: of the recordings, in their order; empty where there is one."""
    data = path.read_bytes()
    trace = Trace(data)
    slices = list(nesting(trace))
    # A time that does not fit is left out by the others and cannot be in a trace: none in a sound recording.
    results.same("perfetto: the same operations", expected, operations(trace, slices))
    results.holds("perfetto: names, tracks and slices fit together", not trace.problems, str(trace.problems[:3]))
    results.holds("perfetto: times are CLOCK_MONOTONIC with the wall clock beside it, of several recordings the wall clock",
                  trace.primary == (REALTIME if names else MONOTONIC) and REALTIME in trace.clocks)
    if names:
        groups = {u for u, t in trace.tracks.items() if not t[5]}
        results.holds("perfetto: a group for each recording, and processes of none have the number of another's",
                      len(groups) == len(names) and not any(t[3] or t[4] for t in trace.tracks.values()))
    check_tracks(results, trace)
    check_layers(results, trace, slices, events)
    if names:
        for root, name in zip(sorted(groups), names):
            check_counters(results, trace, [event for event in events if event["recording"] == name], root)
    else:
        check_counters(results, trace, events)
    check_losses(results, trace, losses)
    check_flows(results, trace, slices, failures)
    check_classes(results, data, trace)


def check_tracks(results, trace):
    threads = [u for u in trace.tracks if trace.thread(u) is not None]
    processes = {u for u, t in trace.tracks.items() if t[3] or trace.merged and trace.depth(u) == 1}
    results.holds("perfetto: every thread's track is in its process's",
                  all(trace.tracks[u][5][0] in processes for u in threads))
    wrong = [event for event in trace.events if (event[2][9][0] == COUNTER) != bool(trace.tracks[event[2][11][0]][8])]
    results.holds("perfetto: counters on counter tracks, and nothing else", not wrong)
    names = {t[2][0].decode() for t in trace.tracks.values() if t[8]}
    wanted = {"records lost", "runs missed"} if trace.events else set()
    if threads:
        wanted |= {"operations", "failed operations", "records"}
    results.holds("perfetto: counters of rates and of loss", wanted <= names, str(names))


def check_layers(results, trace, slices, events):
    """`events`: as JSON Lines has them. The functions of every operation, by thread, name and return."""
    of = lambda e: (e.get("recording"), e.get("tid"), e.get("operation"))
    ended = {of(e) for e in events if e["kind"] == "operation" and "operation" in e}
    expected = collections.Counter(
        (e["tid"], e["function"], e["time_ns"]) for e in events
        if e["kind"] in ("layer", "range", "walk", "fault") and of(e) in ended)
    drawn = collections.Counter(
        (trace.thread(begin[2][11][0]), begin[4].split(",")[0], trace.wall(end[0]))
        for begin, end, _ in slices if trace.thread(begin[2][11][0]) is not None and "operation" not in begin[3])
    results.same("perfetto: every function's return, and no other", expected, drawn)


def check_counters(results, trace, events, root=None):
    points = collections.defaultdict(list)
    for _, _, event, _, _ in trace.events:
        if event[9][0] == COUNTER and root in (None, trace.root(event[11][0])):
            points[trace.tracks[event[11][0]][2][0].decode()].append(signed(event[30][0]))
    operations = [e for e in events if e["kind"] == "operation"]
    # An account has more than the counter of an older recording has; there may be several, and the last one counts.
    hooks = {e["function"]: e for e in events if e["kind"] == "counter"}
    hooks.update({e["function"]: e for e in events if e["kind"] == "account"})
    missed = sum(h["missed"] + h.get("missed_returns", 0) + h.get("missed_entries", 0) for h in hooks.values())
    sent = [e for e in events if e["kind"] not in ("counter", "account", "symbol", "cgroup", "pages")]
    told = lambda name, total: points[name][:1] == [0] and (not hooks or points[name][-1] == total and points[name] == sorted(points[name]))
    # Rates over tenths of a second.
    results.holds("perfetto: counters add up to the events", not events or (
        sum(points["operations"]) == 10 * len(operations)
        and sum(points["failed operations"]) == 10 * sum(1 for e in operations if e["result"] < 0)
        and sum(points["records"]) == 10 * len(sent)
        and told("records lost", sum(h["lost"] for h in hooks.values())) and told("runs missed", missed)), str(dict(points))[:300])


def check_losses(results, trace, losses):
    """`losses`: the `what` of each, as JSON Lines has them."""
    tracks = {u for u, t in trace.tracks.items() if t[2] and t[2][0] == b"what is missing"}
    results.same("perfetto: the same losses", collections.Counter(losses), collections.Counter(
        name for _, _, event, _, name in trace.events if event[11][0] in tracks))


def check_flows(results, trace, slices, failures):
    began, ended = {}, {}
    for time, _, event, annotations, name in trace.events:
        for flow in event[47]:
            began[flow] = (time, annotations)
        for flow in event[48]:
            ended[flow] = time
    results.holds("perfetto: each page's flow ends in a call, not before it begins",
                  began.keys() == ended.keys() and all(began[f][0] <= ended[f] for f in began))
    results.holds("perfetto: a page tells its address, its flags where its entry is known, who decided, and the cause",
                  all({"address", "decided by", "cause"} <= a.keys() and ("raw" in a) == ("flags" in a)
                      for _, a in began.values()))
    failed = sum(1 for begin, _, _ in slices if "operation" in begin[3] and "errno" in begin[3])
    results.holds("perfetto: every failure is there", failed == failures, f"{failed} of {failures}")


def check_classes(results, data, trace):
    try:
        from perfetto.protos.perfetto.trace import perfetto_trace_pb2
    except ImportError:
        results.skip("perfetto: Perfetto's own classes", "there is no perfetto (PyPI: perfetto, protobuf)")
        return
    message = perfetto_trace_pb2.Trace()
    message.ParseFromString(data)
    unknown = []
    try:
        from google.protobuf.unknown_fields import UnknownFieldSet
        for packet in message.packet:
            for part in [packet, packet.track_event, packet.track_descriptor, packet.interned_data,
                         packet.clock_snapshot, *packet.track_event.debug_annotations]:
                unknown += list(UnknownFieldSet(part))
    except ImportError:
        pass
    results.holds("perfetto: Perfetto's own classes read every field",
                  len(message.packet) == len(trace.packets) and not unknown)
    events = sum(1 for packet in message.packet if packet.HasField("track_event"))
    results.holds("perfetto: and see the same events", events == len(trace.events))

/// Server-sent events (WHATWG HTML, section 9.2) out of arbitrary pieces: name and data of each, comments left out.
package struct EventStream: Sendable {
    package struct Event: Equatable, Sendable {
        package var name: String
        package var data: [UInt8]

        package init(name: String, data: [UInt8]) {
            self.name = name
            self.data = data
        }
    }

    private var line: [UInt8] = []
    private var name = "message"
    private var data: [UInt8] = []

    package init() {}

    /// The events that these bytes complete.
    package mutating func take(_ bytes: [UInt8]) -> [Event] {
        var events: [Event] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            line.append(contentsOf: rest[..<end])
            rest = rest[(end + 1)...]
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            takeLine(&events)
            line.removeAll(keepingCapacity: true)
        }
        line.append(contentsOf: rest)
        return events
    }

    private mutating func takeLine(_ events: inout [Event]) {
        if line.isEmpty {
            if !data.isEmpty { events.append(Event(name: name, data: data)) }
            name = "message"
            data.removeAll(keepingCapacity: true)
        } else if let value = value(of: "event") {
            name = String(decoding: value, as: UTF8.self)
        } else if let value = value(of: "data") {
            if !data.isEmpty { data.append(UInt8(ascii: "\n")) }
            data.append(contentsOf: value)
        }
    }

    private func value(of field: String) -> ArraySlice<UInt8>? {
        guard line.starts(with: field.utf8), line.count > field.utf8.count, line[field.utf8.count] == UInt8(ascii: ":")
        else { return nil }
        let value = line[(field.utf8.count + 1)...]
        return value.first == UInt8(ascii: " ") ? value.dropFirst() : value
    }
}

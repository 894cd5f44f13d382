internal import TocsinCore
internal import TocsinMeasure

/// The other end of a webhook: takes alarms, says yes to each, and hands on which spike it was told of.
package struct AlertReceiver {
    private struct Connection {
        var socket: ClientSocket
        var bytes: [UInt8] = []
    }

    private let listener: ListeningSocket
    private var connections: [Connection] = []
    private var buffer = [UInt8](repeating: 0, count: 65_536)
    private static let answer = Array("HTTP/1.1 204 No Content\r\n\r\n".utf8)

    init() throws(TocsinError) { listener = try ListeningSocket() }

    var url: String { "http://127.0.0.1:\(listener.port)/" }

    func add(to readiness: inout Readiness) {
        readiness.add(listener)
        for connection in connections { readiness.add(connection.socket, isWriting: false) }
    }

    /// - Parameter first: number of the listener in `readiness`.
    /// - Returns: sensor and event time of every spike whose alarm was raised.
    mutating func take(
        _ readiness: Readiness, from first: Int
    ) -> [(sensor: String, milliseconds: Int64)] {
        var raised: [(sensor: String, milliseconds: Int64)] = []
        for number in connections.indices.reversed() where readiness.canRead(first + 1 + number) {
            switch connections[number].socket.receive(into: &buffer) {
            case .wait: break
            case .closed: connections.remove(at: number)
            case .bytes(let count):
                connections[number].bytes += buffer[..<count]
                while let body = Self.nextBody(&connections[number].bytes) {
                    _ = connections[number].socket.send(Self.answer[...])
                    if let spike = Self.spike(body) { raised.append(spike) }
                }
            }
        }
        if readiness.canRead(first) {
            while let socket = listener.next() { connections.append(Connection(socket: socket)) }
        }
        return raised
    }

    /// Takes a whole request off the bytes; nil until one is there.
    package static func nextBody(_ bytes: inout [UInt8]) -> [UInt8]? {
        let end = Array("\r\n\r\n".utf8)
        guard bytes.count >= end.count,
            let start = (0...(bytes.count - end.count)).first(where: { bytes[$0..<$0 + end.count].elementsEqual(end) })
        else { return nil }
        let head = String(decoding: bytes[..<start], as: UTF8.self)
        let lengths = head.split(whereSeparator: \.isNewline).compactMap { line -> Int? in
            let halves = line.split(separator: ":", maxSplits: 1)
            guard halves.count == 2, halves[0].lowercased() == "content-length" else { return nil }
            return Int(halves[1].filter(\.isNumber))
        }
        let from = start + end.count
        guard let length = lengths.first, length >= 0, bytes.count - from >= length else { return nil }
        let body = Array(bytes[from..<from + length])
        bytes.removeFirst(from + length)
        return body
    }

    package static func spike(_ body: [UInt8]) -> (sensor: String, milliseconds: Int64)? {
        let text = String(decoding: body, as: UTF8.self)
        guard FlatJSON.text("step", in: text) == "raised", FlatJSON.text("kind", in: text) == "spike",
            let sensor = FlatJSON.text("sensor_id", in: text), let word = FlatJSON.text("last_seen", in: text),
            let time = Timestamp(text: word)
        else { return nil }
        return (sensor, time.nanoseconds / 1_000_000)
    }
}

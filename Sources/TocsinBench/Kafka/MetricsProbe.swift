internal import TocsinCore
internal import TocsinMeasure

/// Asks a server for its metrics.
struct MetricsProbe {
    let address: HTTPAddress
    private static let patience: Int64 = 10_000_000_000

    /// - Throws: `TocsinError(.network)` where nobody answers within ten seconds.
    func read() throws -> Metrics {
        let socket = try ClientSocket(to: address)
        let request = Array("GET /metrics HTTP/1.1\r\nHost: \(address.authority)\r\nConnection: close\r\n\r\n".utf8)
        guard case .bytes(request.count) = socket.send(request[...]) else { throw failure }
        var answer = HTTPAnswer()
        var body: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var readiness = Readiness()
        let deadline = MachineClock.monotonic() + Self.patience
        while !answer.isComplete {
            guard MachineClock.monotonic() < deadline, !answer.isBroken else { throw failure }
            switch socket.receive(into: &buffer) {
            case .bytes(let count): _ = answer.take(buffer[..<count], into: &body)
            case .closed: throw failure
            case .wait:
                readiness.removeAll()
                readiness.add(socket, isWriting: false)
                readiness.wait(nanoseconds: 5_000_000)
            }
        }
        return Metrics(text: String(decoding: body, as: UTF8.self))
    }

    private var failure: TocsinError {
        TocsinError(
            .network, "tocsin run does not answer any more", place: "http://\(address.authority)",
            remedy: "its own message stands above")
    }
}

/// The text of `/metrics`.
struct Metrics {
    let text: String

    /// The sum over all labels; 0 for a name that is not there.
    func sum(_ name: String) -> Int {
        var sum = 0.0
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) where line.starts(with: name.utf8) {
            let next = line.dropFirst(name.utf8.count).first
            guard next == UInt8(ascii: " ") || next == UInt8(ascii: "{") else { continue }
            if let space = line.lastIndex(of: UInt8(ascii: " ")) {
                sum += Double(Substring(line[line.index(after: space)...])) ?? 0
            }
        }
        return Int(clampingDouble: sum)
    }
}

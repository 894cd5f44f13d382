internal import TocsinCore
internal import TocsinMeasure

/// Asks a server for its figures again and again without waiting for the answers.
struct FiguresProbe {
    let socket: ClientSocket
    private let request: [UInt8]
    private var answer = HTTPAnswer()
    private var body: [UInt8] = []
    private var buffer = [UInt8](repeating: 0, count: 65_536)
    private var nextQuestion: Int64 = 0
    private var isAsked = false
    /// By name, summed over all labels, as of the last answer.
    private(set) var figures: [String: Double] = [:]
    private static let interval: Int64 = 20_000_000

    init(_ address: HTTPAddress) throws(TocsinError) {
        socket = try ClientSocket(to: address)
        request = Array("GET /metrics HTTP/1.1\r\nHost: \(address.authority)\r\n\r\n".utf8)
    }

    mutating func ask() throws(TocsinError) {
        let now = MachineClock.monotonic()
        guard !isAsked, now >= nextQuestion else { return }
        nextQuestion = now + Self.interval
        guard case .bytes(request.count) = socket.send(request[...]) else { throw Self.lost }
        isAsked = true
        answer = HTTPAnswer()
        body.removeAll(keepingCapacity: true)
    }

    mutating func receive() throws(TocsinError) {
        switch socket.receive(into: &buffer) {
        case .wait: return
        case .closed: throw Self.lost
        case .bytes(let count): _ = answer.take(buffer[..<count], into: &body)
        }
        guard !answer.isBroken else { throw Self.lost }
        guard answer.isComplete else { return }
        isAsked = false
        figures = Self.read(body)
    }

    /// `name{labels} value`, a line each.
    static func read(_ text: [UInt8]) -> [String: Double] {
        var figures: [String: Double] = [:]
        for line in text.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: "#") {
            guard let space = line.lastIndex(of: UInt8(ascii: " ")),
                let value = Double(String(decoding: line[(space + 1)...], as: UTF8.self))
            else { continue }
            let name = line[..<space].prefix { $0 != UInt8(ascii: "{") }
            figures[String(decoding: name, as: UTF8.self), default: 0] += value
        }
        return figures
    }

    private static let lost = TocsinError(.network, "the server has ended", remedy: "its own message stands above")
}

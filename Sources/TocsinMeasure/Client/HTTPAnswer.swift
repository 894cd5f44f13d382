/// One answer of HTTP/1.1 (RFC 9112) as its bytes arrive: status, body by length or in chunks. Nothing else is looked at.
package struct HTTPAnswer: Sendable {
    private enum Part {
        case head
        case length(Int)
        case chunkSize
        case chunk(Int)
        case chunkEnd
        case trailer
        case done
        case broken
    }

    /// 0 until the head is complete.
    package private(set) var status = 0
    private var part = Part.head
    private var line: [UInt8] = []
    private var isFirstLine = true
    private var bodyLength: Int?
    private var isChunked = false
    private static let longestLine = 65_536

    package init() {}

    package var isComplete: Bool { if case .done = part { true } else { false } }
    /// It cannot be understood; the connection is of no more use.
    package var isBroken: Bool { if case .broken = part { true } else { false } }

    /// Takes bytes and appends what of them belongs to the body; stops at the end of the answer.
    /// - Returns: how many bytes were used.
    package mutating func take(_ bytes: ArraySlice<UInt8>, into body: inout [UInt8]) -> Int {
        var rest = bytes
        while !rest.isEmpty, !isComplete, !isBroken {
            switch part {
            case .head, .chunkSize, .chunkEnd, .trailer: takeLine(&rest)
            case .length(let left):
                let count = min(left, rest.count)
                body.append(contentsOf: rest.prefix(count))
                rest = rest.dropFirst(count)
                part = count == left ? .done : .length(left - count)
            case .chunk(let left):
                let count = min(left, rest.count)
                body.append(contentsOf: rest.prefix(count))
                rest = rest.dropFirst(count)
                part = count == left ? .chunkEnd : .chunk(left - count)
            case .done, .broken: break
            }
        }
        return bytes.count - rest.count
    }

    private mutating func takeLine(_ rest: inout ArraySlice<UInt8>) {
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else {
            line.append(contentsOf: rest)
            rest = []
            if line.count > Self.longestLine { part = .broken }
            return
        }
        line.append(contentsOf: rest[..<end])
        rest = rest[(end + 1)...]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        let text = String(decoding: line, as: UTF8.self)
        line.removeAll(keepingCapacity: true)
        switch part {
        case .head: takeHeadLine(text)
        case .chunkSize:
            guard let size = Int(text.prefix { $0 != ";" }, radix: 16), size >= 0 else { return part = .broken }
            part = size == 0 ? .trailer : .chunk(size)
        case .chunkEnd: part = text.isEmpty ? .chunkSize : .broken
        case .trailer: if text.isEmpty { part = .done }
        case .length, .chunk, .done, .broken: break
        }
    }

    private mutating func takeHeadLine(_ text: String) {
        if isFirstLine {
            isFirstLine = false
            let words = text.split(separator: " ")
            guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let code = Int(words[1]) else {
                return part = .broken
            }
            status = code
            return
        }
        if text.isEmpty {
            part = isChunked ? .chunkSize : (bodyLength ?? 0) == 0 ? .done : .length(bodyLength ?? 0)
            return
        }
        guard let colon = text.firstIndex(of: ":") else { return part = .broken }
        let value = text[text.index(after: colon)...].filter { $0 != " " }
        switch text[..<colon].lowercased() {
        case "content-length":
            guard let length = Int(value), length >= 0 else { return part = .broken }
            bodyLength = length
        case "transfer-encoding": isChunked = value.lowercased() == "chunked"
        default: break
        }
    }
}

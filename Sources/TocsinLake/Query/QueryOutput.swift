/// Where the rows of a query go: called in the order begin, write…, end.
public protocol QueryOutput {
    mutating func begin(_ columns: [DuckDBColumn]) throws
    /// - Returns: false where no further row is wanted.
    mutating func write(_ chunk: DuckDBChunk) throws -> Bool
    mutating func end() throws
}

/// Takes finished bytes, some 64 KiB at a time: standard output, a file, a response.
public typealias ByteSink = (_ bytes: [UInt8]) throws -> Void

/// The bytes that were made and not yet handed on.
struct OutputBuffer {
    var bytes: [UInt8] = []
    private let sink: ByteSink

    init(_ sink: @escaping ByteSink) {
        self.sink = sink
        bytes.reserveCapacity(1 << 16)
    }

    mutating func flushIfFull() throws {
        if bytes.count >= 1 << 16 { try flush() }
    }

    mutating func flush() throws {
        if !bytes.isEmpty { try sink(bytes) }
        bytes.removeAll(keepingCapacity: true)
    }
}

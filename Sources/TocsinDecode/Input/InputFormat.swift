/// What the bytes of a source are written in.
public enum InputFormat: String, CaseIterable, Sendable {
    /// JSON where one of the first two lines starts with `{` or `[`, else CSV.
    case auto
    /// JSON lines, arrays of messages, single messages, also spread over lines or without any space between.
    case json
    /// CSV with a header (RFC 4180), separated by commas, semicolons or tabs.
    case csv
}

/// How the messages of a run of bytes are told apart.
public enum InputLayout: Sendable, Equatable {
    /// JSON: no message crosses a line feed.
    case lines
    /// JSON: messages are told apart by their brackets.
    case documents
    /// CSV rows.
    case rows
}

/// Bounds on what outside input may make the decoder keep.
public struct DecodeLimits: Sendable, Equatable {
    /// Longest message (line, array element, row) in bytes; longer ones are rejected as `tooLong`.
    public var maximumMessageBytes: Int
    /// Bytes of an over-long message that are kept for its dead letter.
    public var clippedBytes: Int
    /// Longest sensor name in bytes.
    public var maximumNameBytes: Int
    /// So many rejects of a batch stand alone; further ones that stand close together become one, see `Batch.add`.
    public var singleRejects: Int

    public init(
        maximumMessageBytes: Int = 1 << 20, clippedBytes: Int = 4096, maximumNameBytes: Int = 256,
        singleRejects: Int = .max
    ) {
        self.maximumMessageBytes = max(1, min(maximumMessageBytes, 1 << 30))
        self.clippedBytes = max(0, min(clippedBytes, self.maximumMessageBytes))
        self.maximumNameBytes = max(1, maximumNameBytes)
        self.singleRejects = max(0, singleRejects)
    }
}

/// Consecutive bytes of a source that hold whole messages: what `ChunkAssembler` makes and `EventDecoder` takes.
public struct InputRun: Sendable, Equatable {
    public var bytes: [UInt8]
    /// Where the first byte stands in the source.
    public var position: Int64
    public var layout: InputLayout
    /// True: the start of one message that was too long; the rest of it was skipped.
    public var isClipped: Bool

    public init(bytes: [UInt8], position: Int64, layout: InputLayout, isClipped: Bool = false) {
        self.bytes = bytes
        self.position = position
        self.layout = layout
        self.isClipped = isClipped
    }
}

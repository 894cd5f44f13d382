/// How a body is packed: `Content-Encoding` of RFC 9110.
public enum ContentCoding: String, CaseIterable, Sendable {
    case identity, gzip, deflate, zstd

    /// nil for a coding that is not known, or several one over the other.
    public init?(header: String?) {
        let word = (header ?? "identity").lowercased().filter { !$0.isWhitespace }
        switch word {
        case "", "identity": self = .identity
        case "gzip", "x-gzip": self = .gzip
        case "deflate": self = .deflate
        case "zstd": self = .zstd
        default: return nil
        }
    }
}

/// Unpacks one body as it comes in.
public struct BodyDecompression {
    public enum Failure: Error, Equatable {
        /// More than `limit` bytes.
        case tooLarge
        /// Not what the coding says, with the library's reason; or cut off.
        case damaged(String)
    }

    private enum Machine {
        case none
        case zlib(Inflater)
        case zstd(ZstdInflater)
    }

    private let machine: Machine
    private let limit: Int
    public private(set) var bytes: [UInt8] = []
    private static let pieceBytes = 64 << 10

    /// - Parameter limit: bytes when unpacked: a small body may be a bomb.
    /// - Returns: nil without memory.
    public init?(_ coding: ContentCoding, limit: Int) {
        self.limit = limit
        switch coding {
        case .identity: machine = .none
        case .gzip, .deflate:
            guard let inflater = Inflater(coding == .gzip ? .gzip : .zlib) else { return nil }
            machine = .zlib(inflater)
        case .zstd:
            guard let inflater = ZstdInflater() else { return nil }
            machine = .zstd(inflater)
        }
    }

    public mutating func add(_ part: [UInt8]) throws(Failure) {
        switch machine {
        case .none: bytes += part
        case .zlib(let inflater):
            inflater.feed(part)
            try drain({ inflater.needsInput }, { inflater.unpack(into: $0, damage: &$1) })
        case .zstd(let inflater):
            inflater.feed(part)
            try drain({ inflater.needsInput }, { inflater.unpack(into: $0, damage: &$1) })
        }
        guard bytes.count <= limit else { throw .tooLarge }
    }

    /// - Returns: the whole body.
    public func finish() throws(Failure) -> [UInt8] {
        let isComplete =
            switch machine {
            case .none: true
            case .zlib(let inflater): inflater.isComplete
            case .zstd(let inflater): inflater.isComplete
            }
        guard isComplete else { throw .damaged("it ends in the middle") }
        return bytes
    }

    private mutating func drain(
        _ needsInput: () -> Bool, _ unpack: (UnsafeMutableBufferPointer<UInt8>, inout String?) -> Int
    ) throws(Failure) {
        while !needsInput() {
            guard bytes.count <= limit else { throw .tooLarge }
            var damage: String?
            let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceBytes) { target, count in
                count = unpack(UnsafeMutableBufferPointer(start: target.baseAddress, count: Self.pieceBytes), &damage)
            }
            bytes += piece
            if let damage { throw .damaged(damage) }
        }
    }
}

internal import Foundation
internal import TocsinCore

/// What the brokers have, in a small file beside the output spool. It is not forced to disk: an older one only means that
/// some results are sent again.
struct OutputPosition: Sendable, Equatable {
    /// Id of the spool that the marks belong to.
    var spool: UInt64
    /// One per kind.
    var marks: [OutputMark]

    private static let magic: StaticString = "TOCSINKO"

    func save(to path: String) throws {
        var writer = StateWriter()
        writer.write(Self.magic)
        writer.write(spool)
        for mark in marks {
            writer.write(mark.sequence)
            writer.write(mark.messages)
            writer.write(mark.bytes)
        }
        writer.write(Self.sum(writer.bytes[...]))
        // Replaced as a whole: a crash leaves the old one or the new one.
        try Data(writer.bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    /// nil without a file, for a damaged one, or for one of another spool.
    static func load(from path: String, spool: UInt64) -> OutputPosition? {
        guard let bytes = (try? Data(contentsOf: URL(fileURLWithPath: path))).map({ [UInt8]($0) }),
            bytes.count == 24 + OutputKind.allCases.count * 24, bytes.starts(with: "\(magic)".utf8)
        else { return nil }
        var reader = StateReader(bytes[8...])
        guard reader.read(UInt64.self) == spool else { return nil }
        var marks: [OutputMark] = []
        for _ in OutputKind.allCases {
            guard let sequence = reader.read(UInt64.self), let messages = reader.read(UInt64.self),
                let bytes = reader.read(UInt64.self)
            else { return nil }
            marks.append(OutputMark(sequence: sequence, messages: messages, bytes: bytes))
        }
        guard reader.read(UInt64.self) == sum(bytes.dropLast(8)) else { return nil }
        return OutputPosition(spool: spool, marks: marks)
    }

    private static func sum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        var hash = StableHash()
        hash.combine(bytes)
        return hash.value
    }
}

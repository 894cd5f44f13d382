internal import TocsinCore

/// What stands around every saved model: eight letters, a version, and a checksum of all of it at the end.
struct ModelEnvelope {
    let magic: StaticString
    let version: UInt32
    /// "isolation forest": for messages.
    let kind: String
    /// Name and version for people and `ModelRecord.format`.
    let format: String
    private static let remedy = "Restore the file from a backup or train the model again."

    /// - Parameter write: appends the model's own part.
    func wrap(_ write: (inout StateWriter) -> Void) -> [UInt8] {
        var writer = StateWriter()
        writer.write(magic)
        writer.write(version)
        write(&writer)
        writer.write(Self.checksum(writer.bytes[...]))
        return writer.bytes
    }

    /// - Parameter read: gives the model of its own part; nil for nonsense. The checksum finds accidents; every number is
    ///   to be checked all the same, because indices come from it.
    /// - Throws: `TocsinError(.model)` saying what is wrong: foreign file, newer version, cut off, damaged.
    func unwrap<Model>(_ bytes: [UInt8], _ read: (inout StateReader) -> Model?) throws -> Model {
        guard bytes.count >= 8, bytes.prefix(8).elementsEqual("\(magic)".utf8) else {
            throw TocsinError(.model, "This is not a saved \(kind).", remedy: Self.remedy)
        }
        guard bytes.count >= 20 else {
            throw TocsinError(
                .model, "The saved \(kind) is cut off after \(bytes.count) bytes.", remedy: Self.remedy)
        }
        var reader = StateReader(bytes[8..<bytes.count - 8])
        guard reader.read(UInt32.self) == version else {
            throw TocsinError(
                .model, "The saved \(kind) has another version than \(format).",
                remedy: "Use the program that wrote it or a newer one, or train the model again.")
        }
        var tail = StateReader(bytes[(bytes.count - 8)...])
        guard tail.read(UInt64.self) == Self.checksum(bytes[..<(bytes.count - 8)]) else {
            throw TocsinError(
                .model, "The saved \(kind) is damaged or cut off: its checksum is wrong.", remedy: Self.remedy)
        }
        guard let model = read(&reader), reader.remaining == 0 else {
            throw TocsinError(.model, "The saved \(kind) contradicts itself.", remedy: Self.remedy)
        }
        return model
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        var hash = StableHash()
        hash.combine(bytes)
        return hash.value
    }
}

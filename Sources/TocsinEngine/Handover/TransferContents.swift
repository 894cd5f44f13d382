internal import TocsinCore
internal import TocsinSpool

/// The bytes of a `SensorTransfer`: a header of 12 bytes, then the sections of a checkpoint, of some sensors only.
///
/// Header: "TSTR", the format's version (16 bits), 16 bits zero, CRC-32C of everything behind the header. A section: its
/// kind (8 bits, `EngineSection`), its length as a varint, its bytes. A newer kind of section makes a newer version.
struct TransferContents: Sendable {
    struct Part: Sendable {
        var section: EngineSection
        var bytes: ArraySlice<UInt8>
    }

    var names: TransferNames
    /// Of the settings that give windows their shape.
    var windows: UInt64
    var parts: [Part]

    static let version: UInt16 = 2
    private static let marker: UInt32 = 0x5254_5354
    private static let headerBytes = 12

    static func encode(names: TransferNames, windows: UInt64, parts: [CheckpointRun.Part]) -> [UInt8] {
        var body = StateWriter()
        var section = StateWriter()
        section.write(windows)
        body.write(section: .engine, section.bytes)
        section.removeAll()
        names.save(to: &section)
        body.write(section: .names, section.bytes)
        for part in parts { body.write(section: part.section, part.bytes) }
        var writer = StateWriter()
        writer.write(marker)
        writer.write(version)
        writer.write(UInt16(0))
        writer.write(CRC32C.of(body.bytes.span))
        writer.write(raw: body.bytes)
        return writer.bytes
    }

    /// - Throws: `format` for bytes that are no transfer, damaged, or of a newer program.
    init(_ bytes: [UInt8]) throws(TocsinError) {
        var reader = StateReader(bytes)
        guard reader.read(UInt32.self) == Self.marker, let version = reader.read(UInt16.self),
            let reserved = reader.read(UInt16.self), let sum = reader.read(UInt32.self)
        else { throw TocsinError(.format, "These bytes are no state of sensors.") }
        guard version == Self.version, reserved == 0 else {
            throw TocsinError(
                .format, "The state of these sensors has the form \(version), and this program knows \(Self.version).",
                remedy: "Let all processes of the group run the same version of Tocsin.")
        }
        guard sum == CRC32C.of(bytes.span.extracting(Self.headerBytes..<bytes.count)) else {
            throw TocsinError(.format, "The state of these sensors is damaged: its checksum is wrong.")
        }
        var windows: UInt64?
        var names: TransferNames?
        parts = []
        while !reader.isAtEnd {
            guard let section = reader.read(UInt8.self).flatMap(EngineSection.init(rawValue:)),
                let bytes = reader.readBlob()
            else { throw Self.nonsense }
            var inner = StateReader(bytes)
            switch section {
            case .engine: windows = inner.read(UInt64.self)
            case .names: names = TransferNames(&inner)
            case .router, .joiner, .care, .sensors, .series, .positions:
                parts.append(Part(section: section, bytes: bytes))
            }
        }
        guard let names, let windows else { throw Self.nonsense }
        self.names = names
        self.windows = windows
    }

    func parts(_ section: EngineSection) -> [ArraySlice<UInt8>] {
        parts.filter { $0.section == section }.map(\.bytes)
    }

    private static let nonsense = TocsinError(.format, "The state of these sensors cannot be read.")
}

extension StateWriter {
    fileprivate mutating func write(section: EngineSection, _ bytes: [UInt8]) {
        write(section.rawValue)
        write(blob: bytes)
    }
}

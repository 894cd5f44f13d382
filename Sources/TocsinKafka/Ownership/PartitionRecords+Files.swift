public import TocsinCore
internal import TocsinSpool

extension PartitionRecords {
    /// As files in a folder or a bucket that all processes of the group reach.
    ///
    /// A record is "<name>/record-<sequence, 19 digits>"; every sequence has a file of its own, so that the late word of a
    /// process that has lost the partition never covers that of its successor. Needs a place in which what was written is
    /// read at once by everybody (POSIX folders, S3 since 2020, MinIO). Cost: a list and a read; a write, a list and a
    /// deletion.
    public init(_ storage: any ObjectStorage) {
        let files = RecordFiles(storage: storage)
        self.init(save: { try await files.save($0) }, newest: { try await files.newest($0) })
    }
}

/// Records of partitions as files.
struct RecordFiles: Sendable {
    private struct Found {
        var file: String
        var sequence: Int64
    }

    let storage: any ObjectStorage
    private static let attempts = 5

    /// Writes over a record of the same name and sequence; older ones go when it is there.
    func save(_ record: CheckpointRecord) async throws {
        let folder = Self.folder(record.name)
        try await storage.put(RecordFile.bytes(of: record), as: folder + "/" + Self.file(record.sequence))
        // What cannot be tidied up now is with the next record.
        guard let found = try? await list(folder) else { return }
        for old in found.dropLast() { try? await storage.delete(old.file) }
    }

    /// The one of the highest sequence. A damaged one comes with its sequence, and a form that nobody knows.
    func newest(_ name: String) async throws -> CheckpointRecord? {
        let folder = Self.folder(name)
        for attempt in 1... {
            var found = try await list(folder)
            // A folder that is read while one file comes and another goes may show neither.
            if found.isEmpty { found = try await list(folder) }
            guard let last = found.last else { return nil }
            do {
                let bytes = try await storage.get(last.file)
                return RecordFile.record(bytes, name: name, sequence: last.sequence)
            } catch {
                // A newer one may have come between the list and the read, and this one gone.
                let isStillNewest = try await list(folder).last?.sequence == last.sequence
                guard !isStillNewest, attempt < Self.attempts else { throw error }
            }
        }
        return nil
    }

    /// By rising sequence.
    private func list(_ folder: String) async throws -> [Found] {
        let prefix = folder + "/record-"
        return try await storage.list(prefix: prefix).compactMap { object in
            let digits = object.name.dropFirst(prefix.count)
            guard digits.utf8.allSatisfy({ (48...57).contains($0) }), let sequence = Int64(digits) else { return nil }
            return Found(file: object.name, sequence: sequence)
        }.sorted { $0.sequence < $1.sequence }
    }

    private static func file(_ sequence: Int64) -> String {
        let digits = String(max(0, sequence))
        return "record-" + String(repeating: "0", count: max(0, 19 - digits.count)) + digits
    }

    /// A group may be called anything; parts of a path may not.
    static func folder(_ name: String) -> String {
        name.split(separator: "/", omittingEmptySubsequences: false).map(part).joined(separator: "/")
    }

    private static func part(_ text: Substring) -> String {
        var part = ""
        for (place, byte) in text.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                part.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: ".") where place > 0: part += "."
            default:
                part += byte < 16 ? "%0" : "%"
                part += String(byte, radix: 16, uppercase: true)
            }
        }
        return part.isEmpty ? "%" : part
    }
}

/// The bytes of a record: "TCKR", version (16 bits), 16 bits zero, CRC-32C of what follows; name, time, form and data.
enum RecordFile {
    private static let marker: UInt32 = 0x524B_4354
    private static let version: UInt16 = 1
    private static let headerBytes = 12

    static func bytes(of record: CheckpointRecord) -> [UInt8] {
        var body = StateWriter()
        body.write(text: record.name)
        body.write(record.created)
        body.write(text: record.format)
        body.write(blob: record.data)
        var writer = StateWriter()
        writer.write(marker)
        writer.write(version)
        writer.write(UInt16(0))
        writer.write(CRC32C.of(body.bytes.span))
        writer.write(raw: body.bytes)
        return writer.bytes
    }

    /// - Returns: for a damaged file, or one of a newer program, a record without data.
    static func record(_ bytes: [UInt8], name: String, sequence: Int64) -> CheckpointRecord {
        read(bytes, name, sequence)
            ?? CheckpointRecord(
                name: name, sequence: sequence, created: Timestamp(nanoseconds: 0), format: "unreadable", data: [])
    }

    private static func read(_ bytes: [UInt8], _ name: String, _ sequence: Int64) -> CheckpointRecord? {
        var reader = StateReader(bytes)
        guard reader.read(UInt32.self) == marker, reader.read(UInt16.self) == version, reader.read(UInt16.self) == 0,
            let sum = reader.read(UInt32.self), sum == CRC32C.of(bytes.span.extracting(headerBytes..<bytes.count)),
            reader.readText() == name, let created = reader.readTimestamp(), let format = reader.readText(),
            let data = reader.readBlob()
        else { return nil }
        return CheckpointRecord(name: name, sequence: sequence, created: created, format: format, data: Array(data))
    }
}

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import Logging
internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinLake
internal import TocsinS3

/// `kafka.checkpoints`: where the processes of a group leave the states of partitions for each other.
enum CheckpointPlace {
    /// - Throws: for a folder that is not there: made here, it would be this machine's alone where a mount is missing.
    static func storage(
        _ place: String, _ configuration: TocsinConfiguration, clock: any WallClock, logger: Logger
    ) throws -> any ObjectStorage {
        if place.hasPrefix("s3://") {
            return try S3Storage(S3Settings(configuration, location: place), clock: clock) {
                logger.warning("S3: \($0)")
            }
        }
        guard access(place, F_OK) == 0 else {
            throw TocsinError(
                .configuration,
                "the folder of kafka.checkpoints cannot be reached: \(String(cString: strerror(errno)))",
                place: place, remedy: "Mount it, or make it, on every machine of the group.")
        }
        return try FolderStorage(place, isOwner: false)
    }

    /// Whether a file can be written there, read again and removed.
    static func probe(_ storage: any ObjectStorage) async throws {
        let name = "probe-\(StableHash.hex(.random(in: 0 ... .max)))"
        let bytes = Array("tocsin check".utf8)
        try await storage.put(bytes, as: name)
        let found = try await storage.get(name)
        try await storage.delete(name)
        guard found == bytes else {
            throw TocsinError(.file, "what was written there is not what is read", place: storage.location)
        }
    }
}

internal import Logging
internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinLake
internal import TocsinS3

/// Where the lake's files are, and how DuckDB reads them there.
struct LakePlace: Sendable {
    let storage: any ObjectStorage
    let duckdb: DuckDBSettings
    /// nil: the lake is in a bucket.
    let folder: FolderStorage?
    let bucket: S3Storage?
    /// For those who ask now and then; opened by the first of them.
    let session: LakeSession
    let stock = LakeStock()

    /// Connects to nothing yet.
    /// - Parameter isOwner: false leaves alone what another process may be writing.
    init(_ configuration: TocsinConfiguration, isOwner: Bool, clock: any WallClock, logger: Logger) throws {
        if configuration.lake.isS3 {
            let settings = try S3Settings(configuration, location: configuration.lakeLocation)
            let bucket = try S3Storage(settings, clock: clock) { logger.warning("S3: \($0)") }
            self.bucket = bucket
            folder = nil
            storage = bucket
            duckdb = DuckDBSettings(configuration, s3: try DuckDBS3Settings(settings, bucket))
        } else {
            try DataFolder.create(at: configuration.lakeLocation)
            let folder = try FolderStorage(configuration.lakeLocation, isOwner: isOwner)
            self.folder = folder
            bucket = nil
            storage = folder
            duckdb = DuckDBSettings(configuration, s3: nil)
        }
        session = LakeSession(location: storage.location, duckdb: duckdb)
    }
}

internal import TocsinCore

extension CheckpointFolder {
    /// Numbers of the checkpoints that are here, newest first: the spool must keep what follows the last of them.
    public func sequences() async throws -> [UInt64] {
        try await onQueue { () throws(FileFailure) in
            try self.files.names(in: self.path).compactMap { CheckpointHeader.sequence(ofFile: $0) }.sorted(by: >)
        }
    }
}

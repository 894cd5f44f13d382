internal import CPostgres

extension PostgresConnection {
    /// Bytes handed over at once: large enough that the calls do not count, small enough to keep the server busy.
    static let copyPiece = 128 << 10

    /// Writes rows by `COPY … FROM STDIN (FORMAT binary)`.
    /// - Parameter body: appends rows (number of fields as `Int16`, then the fields) and calls `send` now and then,
    ///   which hands over what is there.
    func copy(
        into target: String, _ buffer: inout BinaryWriter,
        _ body: (inout BinaryWriter, _ sendIfFull: (inout BinaryWriter) throws -> Void) throws -> Void
    ) throws {
        guard tpq_send_query(handle, "COPY \(target) FROM STDIN (FORMAT binary)") == 1 else { throw lost() }
        guard let start = try finish(), start.status == TPQ_COPY_IN else { throw lost() }
        buffer.removeAll()
        // Signature, flags, length of the extension.
        buffer.append(Array("PGCOPY\n".utf8) + [0xff, 0x0d, 0x0a, 0x00])
        buffer.append(Int32(0))
        buffer.append(Int32(0))
        do {
            try body(&buffer) { buffer in
                if buffer.count >= Self.copyPiece { try put(&buffer) }
            }
            buffer.append(Int16(-1))
            try put(&buffer)
        } catch let failure as ServerFailure {
            throw failure
        } catch {
            _ = tpq_put_copy_end(handle, "given up")
            _ = try? finish()
            throw error
        }
        guard tpq_put_copy_end(handle, nil) == 1 else { throw lost() }
        _ = try finish()
    }

    private func put(_ buffer: inout BinaryWriter) throws {
        let isSent = buffer.withBytes { bytes in
            tpq_put_copy_data(
                handle, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(truncatingIfNeeded: bytes.count))
        }
        guard isSent == 1 else { throw lost() }
        buffer.removeAll()
        try flush()
    }
}

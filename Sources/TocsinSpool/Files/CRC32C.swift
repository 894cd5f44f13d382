internal import CTocsinKernels

/// CRC-32C (Castagnoli): finds every error burst of up to 32 bits; some 10 GB/s with the processor's instruction.
package enum CRC32C {
    /// - Parameter before: the checksum of the bytes before these.
    package static func of(_ bytes: Span<UInt8>, after before: UInt32 = 0) -> UInt32 {
        unsafe bytes.withUnsafeBytes { source in unsafe tk_crc32c(before, source.baseAddress, source.count) }
    }

    /// The same by the portable body, for comparison.
    package static func byTables(_ bytes: Span<UInt8>, after before: UInt32 = 0) -> UInt32 {
        unsafe bytes.withUnsafeBytes { source in
            unsafe tk_crc32c_by(before, source.baseAddress, source.count, tk_crc32c_tables)
        }
    }

    static func of(_ bytes: [UInt8], _ range: Range<Int>, after before: UInt32 = 0) -> UInt32 {
        of(bytes.span.extracting(range), after: before)
    }
}

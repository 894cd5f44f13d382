internal import Dispatch

/// Takes an input apart; what is not there reads as zero.
struct Input {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isEmpty: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }
    mutating func short() -> Int { Int(byte()) | Int(byte()) << 8 }
    mutating func word() -> UInt64 { (0..<8).reduce(0) { sum, place in sum | UInt64(byte()) << UInt64(8 * place) } }
    mutating func number() -> Int64 { Int64(bitPattern: word()) }
    mutating func double() -> Double { Double(bitPattern: word()) }

    mutating func bytes(_ count: Int) -> [UInt8] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    mutating func all() -> [UInt8] {
        defer { rest = [] }
        return Array(rest)
    }
}

/// Stops the fuzzer where a promise does not hold.
func check(_ condition: Bool, _ promise: @autoclosure () -> String) {
    if !condition { fatalError("broken promise: \(promise())") }
}

/// Runs asynchronous work and waits for it.
func wait<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) -> Value? {
    let box = Box<Value>()
    let semaphore = DispatchSemaphore(value: 0)
    Task.detached {
        box.value = await body()
        semaphore.signal()
    }
    semaphore.wait()
    return box.value
}

private final class Box<Value>: @unchecked Sendable {
    // Written before the signal, read after it.
    var value: Value?
}

import Foundation
import XCTest

/// What `.ci/swift` asks for, to see that a failure and a race are reported.
final class SeededTests: XCTestCase {
    private var seeded: String? { ProcessInfo.processInfo.environment["AURICLE_TEST_SEEDED"] }

    func testFailsWhenAsked() {
        XCTAssertNotEqual(seeded, "failure")
    }

    func testRacesWhenAsked() {
        let place = UnsafeMutablePointer<Int>.allocate(capacity: 1)
        place.initialize(to: 0)
        let address = Int(bitPattern: place)
        let lock = NSLock()
        let isRace = seeded == "race"
        let done = DispatchSemaphore(value: 0)
        for _ in 0..<2 {
            Thread {
                let place = UnsafeMutablePointer<Int>(bitPattern: address)!
                for _ in 0..<1_000 {
                    if !isRace { lock.lock() }
                    place.pointee += 1
                    if !isRace { lock.unlock() }
                }
                done.signal()
            }.start()
        }
        for _ in 0..<2 { done.wait() }
        place.deallocate()
    }
}

import FuzzDriver
import FuzzProperties

@_cdecl("FuzzRequestHead_main")
func start(_ count: CInt, _ arguments: FuzzArguments) -> CInt { fuzz(.requestHead, count, arguments) }

// What the process keeps of the memory it has freed.
#pragma once

namespace halftone {

// Lets large arrays go back to the system as soon as they are freed.
void give_back_memory();

}  // namespace halftone
